import t from "tap";
import { maxReportedArrivals, maxReportedFrames } from "#src/limits.js";
import { createReceiverReport } from "#src/receiver-report.js";

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
  report.frameReceived(1, 5, 30, 40);
  t.ok(report.nextTimeoutMs() > 100 && report.nextTimeoutMs() < 120);
  t.match(report.take(3, 110), {
    ...{ datagramsReceived: 2, bytesReceived: 1_800, nextSequence: 2, lost: 0, lossRuns: 0, queuedFrames: 3 },
    ...{ arrivalSequences: [0, 1], arrivalTimes: [1_000, 1_033], reportTime: 1_100 },
    frames: [{ stream: 1, frame: 5, unitsReceived: 30, units: 40 }],
  });
  t.equal(report.nextTimeoutMs(), Number.POSITIVE_INFINITY);
  t.match(report.take(0, 120), { datagramsReceived: 2, arrivalSequences: [], arrivalTimes: [], frames: [] });
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
    t.match(report.take(0, 0), { lost, lossRuns, datagramsReceived: sequences.length }, name);
  }
});

t.test("losses are reported once", async (t) => {
  const report = createReceiverReport();
  arrive(report, [0, 2]);
  t.match(report.take(0, 0), { lost: 1, lossRuns: 1, nextSequence: 3 });
  arrive(report, [1, 3]);
  t.match(
    report.take(0, 0),
    { lost: 0, lossRuns: 0, nextSequence: 4 },
    "the reordered one counts as arrived only",
  );
  arrive(report, [6]);
  t.match(report.take(0, 0), { lost: 2, lossRuns: 1, nextSequence: 7 });
});

t.test("a long run of arrivals wraps around the window", async (t) => {
  const report = createReceiverReport();
  for (let sequence = 0; sequence < 20_000; sequence++) {
    if (sequence % 1_000 !== 500) report.arrived(sequence, 1, 0);
    if (sequence % 1_000 === 999) {
      const { lost, lossRuns } = report.take(0, 0);
      if (lost !== 1 || lossRuns !== 1) t.fail(`at ${sequence}: ${lost} in ${lossRuns}`);
    }
  }
  t.match(report.take(0, 0), { datagramsReceived: 19_980, lost: 0 });
});

t.test("a jump far ahead, and one back, stay within bounds", async (t) => {
  const report = createReceiverReport();
  arrive(report, [0, 0xfffffffe]);
  const jumped = report.take(0, 0);
  t.equal(jumped.nextSequence, 0xffffffff);
  t.ok((jumped.lost ?? 0) <= 4_096 && (jumped.lost ?? 0) > 4_000);
  t.equal(jumped.lossRuns, 1);
  arrive(report, [1, 2]);
  t.match(report.take(0, 0), { lost: 0, nextSequence: 0xffffffff, datagramsReceived: 4 });
});

t.test("lists are bounded and keep the latest", async (t) => {
  const report = createReceiverReport();
  for (let i = 0; i < 500; i++) {
    report.arrived(i, 1, i);
    report.frameReceived(1, i, 1, 1);
  }
  const { arrivalSequences, arrivalTimes, frames } = report.take(0, 0);
  t.equal(arrivalSequences?.length, maxReportedArrivals);
  t.equal(arrivalTimes?.length, maxReportedArrivals);
  t.equal(arrivalSequences?.at(-1), 499);
  t.equal(frames?.length, maxReportedFrames);
  t.equal(frames?.at(-1)?.frame, 499);
});

t.test("times are modulo 2^32", async (t) => {
  const report = createReceiverReport();
  report.arrived(0, 1, 2 ** 32 / 10 + 1);
  t.match(report.take(0, 0), { arrivalTimes: [10] });
});
