import t from "tap";
import { encodeControl } from "#src/control-message.js";
import { maxReportedArrivals, maxReportedBits, maxReportedFrames } from "#src/limits.js";
import { createReceiverReport, mostReportBytes } from "#src/receiver-report.js";

/** Bytes that take any report. */
const large = 65_536;

function arrive(
  report: ReturnType<typeof createReceiverReport>,
  sequences: readonly number[],
  atMs = 0,
): void {
  for (const sequence of sequences) report.arrived(sequence, 100, atMs);
}

t.test("a report is due a moment after the first arrival and starts afresh", async (t) => {
  const report = createReceiverReport();
  t.equal(report.nextTimeoutMs(), Number.POSITIVE_INFINITY);
  report.arrived(0, 1_200, 100.04);
  report.arrived(1, 600, 103.26);
  report.frameReceived(1, 5, 30, 40, 103.3);
  t.equal(report.nextTimeoutMs(), 103.3, "a frame that misses something is worth a report at once");
  t.match(report.take(3, large, 110), {
    ...{ datagramsReceived: 2, bytesReceived: 1_800, nextSequence: 2, lost: 0, lossRuns: 0, queuedFrames: 3 },
    ...{ arrivalSequences: [-2, 1], arrivalTimes: [-100, 33], reportTime: 1_100 },
    frames: [{ stream: 1, frame: 5, unitsReceived: 30, units: 40 }],
  });
  t.equal(report.nextTimeoutMs(), Number.POSITIVE_INFINITY);
  t.match(report.take(0, large, 120), {
    datagramsReceived: 2,
    arrivalSequences: [],
    arrivalTimes: [],
    frames: [],
  });
});

t.test("what is whole is told with the next result, or after a while", async (t) => {
  const report = createReceiverReport();
  t.equal(report.rideMs(), Number.POSITIVE_INFINITY, "nothing to say");
  report.frameReceived(1, 0, 40, 40, 100);
  t.same([report.nextTimeoutMs(), report.rideMs()], [110, 100]);
  report.take(0, large, 101);
  t.equal(report.rideMs(), Number.POSITIVE_INFINITY);
  report.frameReceived(1, 1, 40, 40, 103);
  t.same([report.nextTimeoutMs(), report.rideMs()], [113, 109], "a report for each result is too many");
  report.frameReceived(1, 2, 39, 40, 104);
  t.equal(report.nextTimeoutMs(), 111, "what is missing is told sooner");
});

const runs: Record<string, { sequences: readonly number[]; lost: number; lossRuns: number }> = {
  "nothing lost": { sequences: [0, 1, 2, 3], lost: 0, lossRuns: 0 },
  "the first lost": { sequences: [2, 3], lost: 2, lossRuns: 1 },
  "two runs": { sequences: [0, 3, 4, 6], lost: 3, lossRuns: 2 },
  "every second": { sequences: [0, 2, 4, 6], lost: 3, lossRuns: 3 },
  "reordered within the report": { sequences: [0, 3, 1, 2], lost: 0, lossRuns: 0 },
  "a duplicate": { sequences: [0, 0, 2, 2], lost: 1, lossRuns: 1 },
};

t.test("losses come in runs", async (t) => {
  for (const [name, { sequences, lost, lossRuns }] of Object.entries(runs)) {
    const report = createReceiverReport();
    arrive(report, sequences);
    t.match(report.take(0, large, 0), { lost, lossRuns, datagramsReceived: sequences.length }, name);
  }
});

t.test("losses are totals, and what comes late is none", async (t) => {
  const report = createReceiverReport();
  arrive(report, [0, 2]);
  t.match(report.take(0, large, 0), { lost: 1, lossRuns: 1, nextSequence: 3 });
  arrive(report, [1, 3]);
  t.match(report.take(0, large, 0), { lost: 0, lossRuns: 0, nextSequence: 4 }, "the reordered one has come");
  arrive(report, [6]);
  t.match(report.take(0, large, 0), { lost: 2, lossRuns: 1, nextSequence: 7 });
});

t.test("a long run of arrivals wraps around the window", async (t) => {
  const report = createReceiverReport();
  for (let sequence = 0; sequence < 20_000; sequence++) {
    if (sequence % 1_000 !== 500) report.arrived(sequence, 1, 0);
    if (sequence % 1_000 === 999) {
      const { lost, lossRuns } = report.take(0, large, 0);
      const wanted = (sequence + 1) / 1_000;
      if (lost !== wanted || lossRuns !== wanted) t.fail(`at ${sequence}: ${lost} in ${lossRuns}`);
    }
  }
  t.match(report.take(0, large, 0), { datagramsReceived: 19_980, lost: 20 });
});

t.test("a jump far ahead, and one back, stay within bounds", async (t) => {
  const report = createReceiverReport();
  arrive(report, [0, 0xfffffffe]);
  const jumped = report.take(0, large, 0);
  t.equal(jumped.nextSequence, 0xffffffff);
  t.equal(jumped.lost, 0xfffffffd);
  t.equal(jumped.lossRuns, 1);
  arrive(report, [1, 2]);
  t.match(report.take(0, large, 0), {
    lost: 0xfffffffd,
    lossRuns: 1,
    nextSequence: 0xffffffff,
    datagramsReceived: 4,
  });
});

t.test("lists are bounded and keep the latest", async (t) => {
  const report = createReceiverReport();
  for (let i = 0; i < 500; i++) {
    report.arrived(i, 1, i);
    report.frameReceived(1, i, 1, 1, i);
  }
  const { arrivalSequences, arrivalTimes, frames } = report.take(0, large, 0);
  t.equal(arrivalSequences?.length, maxReportedArrivals);
  t.equal(arrivalTimes?.length, maxReportedArrivals);
  t.equal(
    arrivalSequences?.reduce((sum, difference) => sum + difference, 500),
    499,
  );
  t.equal(frames?.length, maxReportedFrames);
  t.equal(frames?.at(-1)?.frame, 499);
});

t.test("times are modulo 2^32", async (t) => {
  const report = createReceiverReport();
  report.arrived(0, 1, 2 ** 32 / 10 - 1);
  t.match(report.take(0, large, 2 ** 32 / 10 + 1), { arrivalTimes: [-20], reportTime: 10 });
});

t.test("a map tells which of the last datagrams have come", async (t) => {
  const report = createReceiverReport();
  arrive(report, [0, 1, 3]);
  t.same([...(report.take(0, large, 0).received ?? [])], [0b1101]);
  arrive(report, [2, 9]);
  t.same([...(report.take(0, large, 0).received ?? [])], [0b11000001, 0b11]);
  for (let sequence = 10; sequence < 1_000; sequence++) report.arrived(sequence, 1, 0);
  const { received } = report.take(0, large, 0);
  t.equal((received?.length ?? 0) * 8, maxReportedBits);
  t.ok(received?.every((byte) => byte === 255));
});

t.test("another map tells which of the lost ones were recovered", async (t) => {
  const report = createReceiverReport();
  arrive(report, [0, 1, 9]);
  const bits = () => [...(report.take(0, large, 0).recovered ?? [])];
  t.same(bits(), [], "none");
  for (const sequence of [2, 8, 9, 40]) report.recovered(sequence);
  t.same(bits(), [0b10000010], "9 has come, and 40 is not known");
  arrive(report, [2]);
  t.same(bits(), [0b10], "2 was only late");
  arrive(report, [8 + 4_096]);
  t.same(bits(), [], "a number that shares its place in the window");
});

t.test("a report fits what it has to travel in", async (t) => {
  for (const maxBytes of [40, 80, 200, 500, 1_100]) {
    const report = createReceiverReport();
    for (let i = 0; i < 500; i++) {
      report.arrived(3 * i, 1_200, i);
      report.frameReceived(1_000, 100_000 + i, 100_000, 200_000, i);
    }
    const body = report.take(3, maxBytes, 500);
    const bytes = encodeControl({ kind: "feedback", body }).length;
    t.ok(bytes <= Math.max(maxBytes, 75), `${bytes} of ${maxBytes}`);
    t.match(body, { datagramsReceived: 500, lost: 998, lossRuns: 499, nextSequence: 1_498 });
    if ((body.frames?.length ?? 0) > 0) t.equal(body.frames?.at(-1)?.frame, 100_499, "the latest stay");
  }
});

t.test("no report is longer than what is taken for the most", async (t) => {
  const most = 0xffffffff;
  const map = new Uint8Array(maxReportedBits / 8);
  for (const [arrivals, frames] of [
    [0, 0],
    [1, 0],
    [0, 1],
    [maxReportedArrivals, maxReportedFrames],
  ] as const) {
    const body = {
      ...{ datagramsReceived: Number.MAX_SAFE_INTEGER, bytesReceived: Number.MAX_SAFE_INTEGER },
      ...{ nextSequence: most, lost: most, lossRuns: most, queuedFrames: most, reportTime: most },
      arrivalSequences: Array.from({ length: arrivals }, () => -0x80000000),
      arrivalTimes: Array.from({ length: arrivals }, () => -0x80000000),
      frames: Array.from({ length: frames }, () => {
        return { stream: most, frame: most, unitsReceived: most, units: most };
      }),
      ...{ received: map, recovered: map },
    };
    const bytes = encodeControl({ kind: "feedback", body }).length;
    const bound = mostReportBytes(arrivals, frames);
    t.ok(bytes <= bound && bound <= bytes + 20, `${bytes} of ${bound}`);
  }
});

t.test("the share of lost datagrams is told once there were enough of them", async (t) => {
  const report = createReceiverReport();
  arrive(
    report,
    Array.from({ length: 60 }, (_, i) => i).filter((i) => i % 10 !== 5),
  );
  t.equal(report.lossShare(), 0);
  arrive(report, [60, 61, 62, 63]);
  t.equal(report.lossShare(), 6 / 64);
});
