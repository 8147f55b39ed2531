import { spawnSync } from "node:child_process";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import t from "tap";
import { runClosed } from "../peers/closed-workload.mjs";
import { openConnections } from "../peers/connections.mjs";
import { largestCosts, ownTimes, placeOf } from "../peers/profile/costs.mjs";
import { createMessageJoiner, cutMessage } from "../peers/systems/message-parts.mjs";

/** Real pauses, on a clock that only they move: whatever else the machine does, the same happens. */
function createSteppedTime() {
  let nowMs = 0;
  const waiting = [];
  return {
    nowMs: () => nowMs,
    sleepUntil: (timeMs) => new Promise((resolve) => waiting.push({ timeMs, resolve })),
    async step() {
      await sleep(0);
      waiting.sort((a, b) => a.timeMs - b.timeMs);
      const next = waiting.shift();
      if (next === undefined) return;
      nowMs = Math.max(nowMs, next.timeMs);
      next.resolve();
    },
  };
}

async function run(send, settings) {
  const time = createSteppedTime();
  const task = { bytesOf: (frame) => frame, judge: (_frame, answer) => answer };
  let result;
  runClosed({ send: (frame) => send(frame, time) }, task, { warmUpSeconds: 0, ...settings }, time).then(
    (value) => {
      result = value;
    },
  );
  while (result === undefined) await time.step();
  return result;
}

const after = (delayMs, time, reply) => time.sleepUntil(time.nowMs() + delayMs).then(() => reply);
const whole = { answer: { ok: true, share: 1 } };

t.test("one at a time: as many frames as answers have room for", async (t) => {
  const sent = [];
  const result = await run(
    (_frame, time) => {
      sent.push(time.nowMs());
      return after(10, time, whole);
    },
    { inFlight: 1, seconds: 0.1, deadlineMs: 1_000 },
  );
  t.same(sent, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
  t.match(result, { answered: 10, wrong: 0, failed: 0, unanswered: 0, p50Ms: 10, p99Ms: 10 });
});

t.test("what is lost for good gives its place up at the deadline", async (t) => {
  const result = await run((frame, time) => (frame === 0 ? new Promise(() => {}) : after(10, time, whole)), {
    inFlight: 1,
    seconds: 0.5,
    deadlineMs: 100,
  });
  t.equal(result.unanswered, 1);
  t.ok(result.answered > 30, `${result.answered} went on behind it`);
});

t.test(
  "wrong, damaged, turned away and failed are counted apart; a system that turns all away is not asked in a loop",
  async (t) => {
    const replies = [
      { answer: { ok: false, share: 1 } },
      { answer: { ok: true, share: 0.5 } },
      { dropped: "gate" },
    ];
    let calls = 0;
    const result = await run(
      async (frame, time) => {
        calls += 1;
        if (frame < replies.length) return after(1, time, replies[frame]);
        if (frame === 3) throw new Error("broken");
        return { dropped: "gate" };
      },
      { inFlight: 1, seconds: 0.05, deadlineMs: 100 },
    );
    t.match(result, { answered: 2, wrong: 1, damaged: 1, failed: 1, reason: "broken" });
    t.ok(calls < 60, `${calls} calls in 50 ms`);
  },
);

t.test("frames of the warm-up count nowhere", async (t) => {
  const settings = { inFlight: 2, warmUpSeconds: 0.1, seconds: 0.1, deadlineMs: 100 };
  const { answered } = await run((_frame, time) => after(10, time, whole), settings);
  t.ok(answered >= 18 && answered <= 22, `${answered} of 40`);
});

t.test("messages in parts come whole in any order, and never with a part missing", async (t) => {
  for (const size of [0, 1, 99, 100, 101, 1_234]) {
    const bytes = Uint8Array.from({ length: size }, (_, i) => i * 7);
    const parts = [...cutMessage(9, bytes, 108)];
    t.ok(parts.every(({ byteLength }) => byteLength <= 108));
    const came = [];
    const join = createMessageJoiner((frame, joined) => came.push([frame, [...joined]]));
    for (const part of [...parts].reverse()) {
      t.same(came, [], "not before the last one");
      join(part);
      if (came.length === 0) join(part); // a duplicate changes nothing
    }
    t.same(came, [[9, [...bytes]]], `${size} B`);
  }
  const came = [];
  const join = createMessageJoiner((frame) => came.push(frame));
  for (let frame = 0; frame < 200; frame++) {
    const [first, ...others] = cutMessage(frame, new Uint8Array(300), 108);
    if (frame % 2 === 0) join(first);
    for (const part of others) join(part);
  }
  t.same(
    came,
    Array.from({ length: 100 }, (_, i) => 2 * i),
    "frames without their first part are given up, and hold up no others",
  );
  t.throws(() => [...cutMessage(1, new Uint8Array(70_000), 9)], RangeError);
});

t.test("frames go round among connections", async (t) => {
  let opened = 0;
  const log = [];
  const connection = await openConnections(20, async () => {
    const name = opened++;
    return { send: (frame) => log.push([name, frame]), close: () => log.push([name, "closed"]) };
  });
  for (const frame of [0, 1, 20, 39]) connection.send(frame);
  t.same(log, [
    [0, 0],
    [1, 1],
    [0, 20],
    [19, 39],
  ]);
  connection.close();
  t.equal(log.filter(([, what]) => what === "closed").length, 20);
});

const node = (id, functionName, url, children = []) => ({ id, callFrame: { functionName, url }, children });
const profile = {
  nodes: [
    node(1, "(root)", "", [2, 3, 5]),
    node(2, "(idle)", ""),
    node(3, "send", "file:///x/packages/http3/dist/quiche/packet-sender.js", [4]),
    node(4, "throw", ""),
    node(5, "(garbage collector)", ""),
  ],
  samples: [2, 3, 4, 4, 5, 2],
  timeDeltas: [0, 1_000, 2_000, 3_000, 4_000, 5_000],
};

t.test("costs are time of their own; native calls are their caller's, idle time is nobody's", (t) => {
  t.same(Object.fromEntries(ownTimes(profile)), {
    "send, http3/quiche/packet-sender": 2,
    "native calls of send, http3/quiche/packet-sender": 7,
    "(garbage collector), V8": 5,
  });
  const still = { nodes: [node(1, "(idle)", "")], samples: [1], timeDeltas: [0] };
  const { totalUsPerFrame, threads, costs } = largestCosts({ main: profile, worker: still }, 7, 2);
  t.equal(totalUsPerFrame, 2_000);
  t.same(threads, [
    { thread: "main", usPerFrame: 2_000 },
    { thread: "worker", usPerFrame: 0 },
  ]);
  t.match(costs, [{ cost: /^native/, thread: "main", usPerFrame: 1_000, share: 0.5 }, { cost: /collector/ }]);
  t.equal(costs.length, 2);
  t.equal(placeOf("file:///a/node_modules/.pnpm/x@1/node_modules/@s/x/lib/y.js"), "@s/x");
  t.equal(placeOf("node:dgram"), "node:dgram");
  t.end();
});

/** What a command of `benchmarks/peers.mjs` prints with `--json`, line by line. */
function runCommand(...args) {
  const script = fileURLToPath(new URL("../peers.mjs", import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, ...args, "--json"], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

t.test("the profile names costs of all threads of the real thing", async (t) => {
  const lines = runCommand("profile", "--cells", "^64 B", "--seconds", "0.5");
  const namesOf = (threads) =>
    ["client", "server"].flatMap((side) => threads.map((name) => `${side}, ${name}`));
  t.same(
    lines.map(({ threads }) => threads.map(({ thread }) => thread)),
    [namesOf(["main", "worker"]), namesOf(["main"])],
  );
  for (const line of lines) {
    t.ok(line.frames > 0, `${line.frames} frames`);
    t.equal(line.costs.length, 10);
    t.ok(line.costs.every(({ usPerFrame, share }) => usPerFrame > 0 && share > 0 && share < 1));
    // Which thread has the largest ones is a matter of the machine; that each was sampled at its work is not.
    t.ok(line.threads.every(({ usPerFrame }) => usPerFrame > 0));
  }
});

t.test("loopback measures both numbers in flight, scale its sessions", async (t) => {
  const [cell] = runCommand("loopback", "--cells", "^5120 B, sluice,", "--seconds", "0.2", "--rounds", "1");
  t.match(cell.results, [
    { inFlight: 1, wrong: 0 },
    { inFlight: 8, wrong: 0 },
  ]);
  t.ok(cell.results.every(({ answered, cpuSecondsPerGB }) => answered > 0 && cpuSecondsPerGB > 0));
  const [sessions] = runCommand("scale", "--cells", "^sessions 10, ws", "--seconds", "0.2");
  t.ok(sessions.connectMs > 0);
  t.equal(sessions.figures.wrong, 0);
});
