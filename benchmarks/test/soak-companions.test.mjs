// What a campaign knows of the clients beside it.
import t from "tap";
import { checkCompanion, checkHeld, checkServed } from "../soak/accounts.mjs";
import { readFrames } from "../soak/companion-stream.mjs";

t.test("a companion's frames end once and with a reason, by its own report", (t) => {
  const counts = {
    offered: 10,
    admitted: 8,
    droppedAtGate: 2,
    delivered: 7,
    expired: 1,
    onTime: 7,
    corrupt: 0,
  };
  const reasons = { dropReasons: { bandwidth: 2 }, expiryReasons: { unreceived: 1 } };
  const check = (change = {}) => {
    const frames = readFrames(`listening\n${JSON.stringify({ ...counts, ...reasons, ...change })}\n`);
    return checkCompanion({ name: "reliable", frames, failures: [] });
  };
  t.strictSame(check(), []);
  t.match(check({ delivered: 6 }), [/do not add up/]);
  t.match(check({ dropReasons: { bandwidth: 1 } }), ["reliable: 2 dropped, of which 1 have a reason"]);
  t.match(check({ corrupt: 1 }), [/changed/]);
  t.match(checkCompanion({ name: "page", frames: readFrames("Killed"), failures: ["it threw"] }), [
    "page: it threw",
    /without a report/,
  ]);
  t.end();
});

t.test("no client has more results than the server has delivered", (t) => {
  const companions = [
    { isLocal: false, frames: { delivered: 4 } },
    { isLocal: true, frames: { delivered: 100 } },
    { isLocal: false, frames: undefined },
  ];
  const check = (delivered) =>
    checkServed([{ delivered: 5 }], companions, { begun: 12, outcomes: { delivered } });
  t.strictSame(check(9), []);
  t.strictSame(check(11), [], "some were lost on their way");
  t.match(check(8), [/clients count 9 results, the server 8 of 12/]);
  t.end();
});

t.test("a process keeps its files and threads", (t) => {
  t.strictSame(checkHeld("auto", { files: 20, threads: 8 }, { files: 25, threads: 9 }), []);
  t.match(checkHeld("auto", { files: 20, threads: 8 }, { files: 40, threads: 80 }), [
    /40 files, 20/,
    /80 threads/,
  ]);
  t.strictSame(checkHeld("page", { heapBytes: 1 }, { heapBytes: 2 }), [], "of a page they are not known");
  t.end();
});
