import t from "tap";
import { decodeControl } from "#src/control-message.js";
import { maxUnacknowledgedResults } from "#src/limits.js";
import { createResultOutbox, type ResultOutbox } from "#src/result-outbox.js";

const rttMs = 40;

function push(outbox: ResultOutbox, frame: number, nowMs = 0, payloadBytes = 10, uselessAtMs = 300): void {
  const inTimeUntilMs = nowMs + 80;
  outbox.push(
    { stream: 1, frame, outcome: 1, payload: new Uint8Array(payloadBytes) },
    { inTimeUntilMs, uselessAtMs },
    nowMs,
  );
}

function takeAll(outbox: ResultOutbox, nowMs: number, maxBytes = 1_200): number[] {
  const frames: number[] = [];
  for (let bytes = outbox.take(maxBytes, rttMs, nowMs); bytes; bytes = outbox.take(maxBytes, rttMs, nowMs)) {
    const message = decodeControl(bytes);
    frames.push(message?.kind === "result" ? message.body.frame : -1);
  }
  return frames;
}

t.test("a result is repeated after a round trip and a bit until it is acknowledged", async (t) => {
  const outbox = createResultOutbox();
  t.equal(outbox.nextTimeoutMs(), Number.POSITIVE_INFINITY);
  push(outbox, 0);
  push(outbox, 1);
  t.equal(outbox.nextTimeoutMs(), 0);
  t.same(takeAll(outbox, 0), [0, 1]);
  t.same(takeAll(outbox, 40), []);
  const dueMs = outbox.nextTimeoutMs();
  t.ok(dueMs > rttMs && dueMs < 2 * rttMs, `${dueMs}`);
  outbox.acknowledge(1, [0, 99], 50);
  outbox.acknowledge(2, [1], 50);
  t.same(takeAll(outbox, dueMs), [1]);
  t.equal(outbox.repeated, 1);
  outbox.acknowledge(1, [1], 100);
  t.same([outbox.size, outbox.nextTimeoutMs()], [0, Number.POSITIVE_INFINITY]);
});

t.test("nothing is repeated once it is useless, but a late result is sent once", async (t) => {
  const outbox = createResultOutbox();
  push(outbox, 0, 0, 10, 100);
  t.same(takeAll(outbox, 500), [0]);
  t.same(takeAll(outbox, 1_000), []);
  t.equal(outbox.size, 0);
  t.equal(outbox.repeated, 0);
});

t.test("a result leaves for the first time before repeats that are not due, whatever waits", async (t) => {
  const outbox = createResultOutbox();
  for (let frame = 0; frame < 50; frame++) push(outbox, frame, frame / 100);
  t.equal(takeAll(outbox, 0.5).length, 50);
  push(outbox, 50, 1);
  t.equal(outbox.nextTimeoutMs(), 1);
  t.same(takeAll(outbox, 1), [50]);
  t.same(takeAll(outbox, 1), []);
  outbox.acknowledge(1, [...Array(50).keys()], 20);
  t.equal(outbox.size, 1);
  t.ok(outbox.nextTimeoutMs() > 1 + rttMs, "what is acknowledged is not due any more");
  t.same(takeAll(outbox, 100), [50]);
  t.equal(outbox.repeated, 1);
});

t.test("what does not fit the rest of a datagram waits for the next, what fits none leaves", async (t) => {
  const outbox = createResultOutbox();
  push(outbox, 0, 0, 500);
  push(outbox, 1, 0, 10);
  t.same(takeAll(outbox, 0, 100), [1]);
  t.same(takeAll(outbox, 0, 1_200), [0]);
  push(outbox, 2, 0, 5_000);
  t.same(takeAll(outbox, 0), []);
  t.match(outbox.takeLarger(1_200), { frame: 2 });
  t.equal(outbox.takeLarger(1_200), undefined);
  t.equal(outbox.size, 2);
});

t.test("a client that acknowledges nothing costs a bounded number of results", async (t) => {
  const outbox = createResultOutbox();
  for (let frame = 0; frame < 10 * maxUnacknowledgedResults; frame++) push(outbox, frame);
  t.equal(outbox.size, maxUnacknowledgedResults);
  t.equal(takeAll(outbox, 0).at(-1), 10 * maxUnacknowledgedResults - 1, "the oldest are given up");
});

t.test(
  "where results or acknowledgements are lost, results are repeated sooner while they can be in time",
  async (t) => {
    const outbox = createResultOutbox();
    const patientMs = 1.1 * rttMs + 15;
    push(outbox, 0);
    takeAll(outbox, 0);
    t.equal(outbox.nextTimeoutMs(), patientMs, "nothing is known to be lost");
    takeAll(outbox, patientMs);
    outbox.acknowledge(1, [0], 100);
    outbox.acknowledge(1, [], 300);
    push(outbox, 1, 1_000, 10, 1_300);
    takeAll(outbox, 1_000);
    t.equal(outbox.nextTimeoutMs(), 1_000 + 80 / 12, "one of two was not acknowledged");
    takeAll(outbox, 1_020);
    t.equal(outbox.nextTimeoutMs(), 1_025, "not more often");
    push(outbox, 2, 1_025, 800, 1_300);
    takeAll(outbox, 1_025);
    outbox.acknowledge(1, [1], 1_025);
    t.ok(outbox.nextTimeoutMs() > 1_045, "large ones more rarely");
    outbox.acknowledge(1, [2], 1_026);
    push(outbox, 3, 1_030, 10, 1_400);
    takeAll(outbox, 1_120);
    t.equal(outbox.nextTimeoutMs(), 1_120 + patientMs, "it is late: there is no haste");
    outbox.acknowledge(1, [3], 1_121);
    for (let frame = 4; frame < 300; frame++) {
      push(outbox, frame, 2_000 + frame, 10, 2_900);
      takeAll(outbox, 2_000 + frame);
      outbox.acknowledge(1, [frame], 2_000 + frame);
    }
    outbox.acknowledge(1, [], 2_900);
    push(outbox, 300, 3_000, 10, 3_300);
    takeAll(outbox, 3_000);
    t.equal(outbox.nextTimeoutMs(), 3_000 + patientMs, "the path has become good");
  },
);

t.test(
  "where datagrams are lost the other way, the first result is repeated before its acknowledgement is late",
  async (t) => {
    for (const [share, isSooner] of [
      [0, false],
      [0.004, false],
      [0.05, true],
    ] as const) {
      const outbox = createResultOutbox();
      outbox.setPathLoss(share);
      push(outbox, 0);
      t.same(takeAll(outbox, 0), [0]);
      t.equal(outbox.nextTimeoutMs() < rttMs / 2, isSooner, `${share}: ${outbox.nextTimeoutMs()} ms`);
    }
  },
);

/** Pushes 60 results a second, and takes what leaves whenever the outbox asks for it. @returns sendings and wakes of each second */
function sendWithoutAnswer(outbox: ResultOutbox, seconds: number, deadlineMs: number) {
  const perSecond = Array.from({ length: seconds }, () => ({ sendings: 0, wakes: 0 }));
  for (let i = 0; i < 60 * seconds; i++) {
    const nowMs = (i * 1_000) / 60;
    const times = { inTimeUntilMs: nowMs + deadlineMs, uselessAtMs: nowMs + 2 * deadlineMs };
    outbox.push({ stream: 1, frame: i, outcome: 1 }, times, nowMs);
    for (let atMs = nowMs; atMs < nowMs + 1_000 / 60; ) {
      const second = perSecond[Math.floor(atMs / 1_000)]!;
      second.sendings += takeAll(outbox, atMs).length;
      second.wakes++;
      atMs = Math.max(atMs + 1, outbox.nextTimeoutMs());
    }
  }
  return perSecond;
}

t.test("who acknowledges nothing is soon sent each result twice, however long it is of use", async (t) => {
  for (const deadlineMs of [150, 2_000, 10_000]) {
    const outbox = createResultOutbox();
    const seconds = sendWithoutAnswer(outbox, 6, deadlineMs);
    t.ok(seconds[0]!.sendings >= 180, `${deadlineMs} ms: it is not known at first: ${seconds[0]!.sendings}`);
    for (const { sendings, wakes } of seconds.slice(1)) {
      t.ok(sendings <= 120 && sendings >= 60, `${deadlineMs} ms: ${sendings} sendings of 60 results`);
      t.ok(wakes <= 180, `${deadlineMs} ms: ${wakes} wakes`);
    }
    t.ok(outbox.size <= maxUnacknowledgedResults);
  }
});

t.test(
  "after the first acknowledgement of such a client all that is still of use is sent again",
  async (t) => {
    const outbox = createResultOutbox();
    sendWithoutAnswer(outbox, 2, 150);
    push(outbox, 120, 2_000, 10, 2_300);
    t.same(takeAll(outbox, 2_000).at(-1), 120);
    outbox.acknowledge(1, [119], 2_010);
    const again = takeAll(outbox, 2_010);
    const useful = [...Array(15).keys()].map((i) => 103 + i);
    t.same(again, useful, "what is useless by then is not, nor what was acknowledged or is not due");
    t.ok(outbox.nextTimeoutMs() < 2_020, "and repeats are hasty again");
    outbox.acknowledge(1, [...useful, 118, 120], 2_015);
    t.equal(outbox.size, 0);
  },
);

t.test(
  "what is sent only once, since it is late, does not count as lost before its acknowledgement is",
  async (t) => {
    const outbox = createResultOutbox();
    outbox.setPathLoss(0.05);
    push(outbox, 0);
    push(outbox, 1, 0, 10, 0);
    t.same(takeAll(outbox, 0), [0, 1]);
    t.same(takeAll(outbox, 7), [0]);
    outbox.setPathLoss(0);
    outbox.acknowledge(1, [0, 1], 41);
    outbox.acknowledge(1, [0], 48);
    push(outbox, 2, 200, 10, 500);
    t.same(takeAll(outbox, 200), [2]);
    t.equal(outbox.nextTimeoutMs(), 200 + 1.1 * rttMs + 15, "nothing was lost, and there is no haste");
  },
);

t.test("what the last acknowledgement left open is known without another one", async (t) => {
  const outbox = createResultOutbox();
  push(outbox, 0);
  t.same([...takeAll(outbox, 0), ...takeAll(outbox, 60)], [0, 0]);
  outbox.acknowledge(1, [0], 61);
  push(outbox, 1, 4_000, 10, 4_300);
  t.same(takeAll(outbox, 4_000), [1]);
  t.equal(outbox.nextTimeoutMs(), 4_000 + 80 / 12, "one of two sendings was not acknowledged");
});
