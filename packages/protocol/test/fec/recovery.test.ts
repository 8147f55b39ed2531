/** How long a server holds what repair symbols may want (spec 5.8). */
import t from "tap";
import { createRecovery } from "#src/fec/recovery.js";
import type { SliceHeader } from "#src/slice-header.js";

const deadlineMs = 150;
const header = (sequence: number): SliceHeader => ({
  ...{ stream: 1, frame: 0, index: 0, count: 1, ageMs: 0, payloadBytes: 0, sequence },
});
const slicesOf = (sequence: number) => [{ header: header(sequence), payload: new Uint8Array(0) }];
/** The symbol of a group of one: what it says is not looked at where nothing is missing or all is forgotten. */
const symbol = Uint8Array.of(1, 1, 9, 0, 6, 8, 1, 32, 1, 56, 0, 170, 187);

function open(fec: string) {
  const recovery = createRecovery();
  recovery.open(1, fec, deadlineMs);
  return recovery;
}

for (const [fec, keepMs] of [
  ["rs:max=15", deadlineMs],
  ["rs:max=15,span=2", 2 * deadlineMs],
] as const) {
  t.test(`${fec}: what came ${keepMs} ms ago is forgotten, what is younger is not`, async (t) => {
    const recovery = open(fec);
    t.equal(recovery.nextTimeoutMs(), Number.POSITIVE_INFINITY);
    for (let i = 0; i < 100; i++) recovery.hold(2 * i, new Uint8Array(1_000), slicesOf(2 * i), 5 * i);
    t.equal(recovery.bytes, 100_000);
    for (let nowMs = recovery.nextTimeoutMs(); nowMs < 1_000; nowMs = recovery.nextTimeoutMs()) {
      recovery.expire(nowMs - 0.01);
      const young = 100 - Math.ceil((nowMs - keepMs) / 5);
      t.ok(recovery.bytes >= 1_000 * young, `at ${nowMs}: nothing that may be in time`);
      recovery.expire(nowMs);
      // Two that came within 10 ms go together.
      t.ok(recovery.bytes <= 1_000 * (young + 1), `at ${nowMs}: nothing that is late`);
    }
    t.equal(recovery.bytes, 0);
    t.equal(recovery.nextTimeoutMs(), Number.POSITIVE_INFINITY);
  });
}

t.test("symbols that wait for others grow old too, and one of what is forgotten is late", async (t) => {
  const recovery = open("rs:max=15");
  // Two are missing, one symbol is there.
  const two = Uint8Array.of(1, 3, ...new Uint8Array(20));
  recovery.repair({ ...header(2), repair: 2 }, two, 2, 0);
  t.equal(recovery.receipts.taken, 1);
  t.equal(recovery.bytes, 20);
  recovery.expire(deadlineMs - 1);
  t.equal(recovery.bytes, 20);
  recovery.expire(deadlineMs);
  t.equal(recovery.bytes, 0);
  recovery.repair({ ...header(3), repair: 2 }, symbol, 3, deadlineMs);
  t.equal(recovery.receipts.late, 1);
});

t.test("the longest deadline of the protected streams counts", async (t) => {
  const recovery = open("rs:max=15");
  recovery.open(2, "rs:max=15", 10 * deadlineMs);
  recovery.open(3, "", 100 * deadlineMs);
  recovery.hold(0, new Uint8Array(1_000), slicesOf(0), 0);
  t.equal(recovery.nextTimeoutMs(), 10 * deadlineMs);
  recovery.close(2);
  t.equal(recovery.nextTimeoutMs(), deadlineMs);
  recovery.close(1);
  t.equal(recovery.bytes, 0);
  t.equal(recovery.nextTimeoutMs(), Number.POSITIVE_INFINITY);
});
