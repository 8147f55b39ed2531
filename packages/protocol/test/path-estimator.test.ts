import { sluice } from "@sluice/proto";
import t from "tap";
import { createBandwidthEstimator } from "#src/bandwidth-estimator.js";
import { createPathEstimator, type PathEstimator } from "#src/path-estimator.js";
import { createIntegers } from "./integers.js";

function reportOf(fields: sluice.v1.Feedback.$Properties): sluice.v1.Feedback {
  return sluice.v1.Feedback.decode(sluice.v1.Feedback.encode(fields).finish());
}

/** The differences by which a report names its arrivals. */
function namedBy(nextSequence: number, reportTime: number, arrivals: readonly (readonly [number, number])[]) {
  return {
    nextSequence,
    arrivalSequences: arrivals.map(([s], i) => s - (i > 0 ? arrivals[i - 1]![0] : nextSequence)),
    arrivalTimes: arrivals.map(([, at], i) => at - (i > 0 ? arrivals[i - 1]![1] : reportTime)),
    reportTime,
  };
}

const size = 1_200;
let totalLost = 0;

/** Sends trains of datagrams over a bottleneck and reports what arrives; returns the next sequence. */
function sendTrain(
  path: PathEstimator,
  first: number,
  options: {
    length: number;
    nowMs: number;
    bitsPerSecond: number;
    jitterMs?: () => number;
    lost?: readonly number[];
  },
): number {
  const { length, nowMs, bitsPerSecond, jitterMs = () => 0, lost = [] } = options;
  const spacingMs = (size * 8_000) / bitsPerSecond;
  const arrivals = [];
  for (let i = 0; i < length; i++) {
    path.sent(first + i, size, nowMs + i * 0.1);
    if (!lost.includes(i))
      arrivals.push({ sequence: first + i, atMs: nowMs + 20 + i * spacingMs + jitterMs() });
  }
  const named = arrivals.map(({ sequence, atMs }) => [sequence, Math.round(atMs * 10)] as const);
  totalLost += lost.length;
  const report = reportOf({
    ...{ lost: totalLost, lossRuns: totalLost },
    ...namedBy(first + length, Math.round((nowMs + 60) * 10), named),
  });
  path.handleFeedback(report, 40, nowMs + 60);
  return first + length;
}

t.test("a train spreads to the rate of the bottleneck", async (t) => {
  for (const bitsPerSecond of [500_000, 2_000_000, 20_000_000]) {
    const path = createPathEstimator();
    t.equal(path.bandwidthBitsPerSecond, undefined);
    let next = 0;
    for (let i = 0; i < 10; i++) next = sendTrain(path, next, { length: 12, nowMs: i * 33, bitsPerSecond });
    const estimate = path.bandwidthBitsPerSecond ?? 0;
    t.ok(Math.abs(estimate / bitsPerSecond - 1) < 0.05, `${estimate} of ${bitsPerSecond}`);
    t.equal(path.unreceivedBytes, 0);
  }
});

t.test("jitter and losses move the estimate by less than a half", async (t) => {
  const seed = 8;
  t.comment(`seed ${seed}`);
  const integers = createIntegers(seed);
  const path = createPathEstimator();
  let next = 0;
  for (let i = 0; i < 60; i++) {
    next = sendTrain(path, next, {
      ...{ length: 16, nowMs: i * 33, bitsPerSecond: 10_000_000, lost: i % 3 === 0 ? [7] : [] },
      jitterMs: () => integers.between(0, 3) / 10,
    });
  }
  const estimate = path.bandwidthBitsPerSecond ?? 0;
  t.ok(estimate > 5_000_000 && estimate < 15_000_000, `${estimate}`);
  t.equal(path.datagramsLost, 20);
  t.equal(path.lossRuns, 20);
  t.equal(path.datagramsReported, 60 * 16);
});

t.test("single datagrams, pauses and unknown numbers say nothing about the rate", async (t) => {
  const path = createPathEstimator();
  for (let i = 0; i < 10; i++) sendTrain(path, 2 * i, { length: 2, nowMs: i * 33, bitsPerSecond: 1e6 });
  t.equal(path.bandwidthBitsPerSecond, undefined, "two are no train");
  for (let i = 20; i < 30; i++) path.sent(i, size, i * 33);
  const alone = [20, 21, 22, 23, 24, 25].map((sequence, i) => [sequence, i] as const);
  path.handleFeedback(reportOf(namedBy(30, 100, alone)), 40, 2_000);
  t.equal(path.bandwidthBitsPerSecond, undefined, "not sent together");
  const unknown = [900, 901, 902].map((sequence, i) => [sequence, i] as const);
  path.handleFeedback(reportOf(namedBy(9, 100, unknown)), 40, 2_000);
  path.handleFeedback(
    reportOf({ nextSequence: 9, arrivalSequences: [-8, 1, 1], arrivalTimes: [] }),
    40,
    2_000,
  );
  t.equal(path.bandwidthBitsPerSecond, undefined);
});

t.test("reports that are late, repeated or wild do no harm", async (t) => {
  const path = createPathEstimator();
  for (let i = 0; i < 10; i++) path.sent(i, 100, i);
  path.handleFeedback(reportOf({ nextSequence: 6, lost: 1, lossRuns: 1 }), 40, 50);
  path.handleFeedback(reportOf({ nextSequence: 3, lost: 2, lossRuns: 2 }), 40, 51);
  t.same(
    [path.unreceivedBytes, path.datagramsLost, path.datagramsReported],
    [400, 1, 6],
    "the late one is old news",
  );
  path.handleFeedback(
    reportOf({ nextSequence: 0xffffffff, arrivalSequences: [-9, -8, 7], arrivalTimes: [3, 2, 1] }),
    40,
    52,
  );
  t.equal(path.unreceivedBytes, 0);
  path.sent(10, 100, 60);
  t.equal(path.unreceivedBytes, 100);
});

t.test("the end of a burst is not waited for for ever", async (t) => {
  const path = createPathEstimator();
  path.sent(0, 100, 1_000);
  path.expire(40, 2_000);
  t.equal(path.unreceivedBytes, 100);
  path.expire(40, 2_001);
  t.equal(path.unreceivedBytes, 0, "a second at least: it may wait in a queue");
  path.sent(1, 100, 3_000);
  path.expire(400, 4_200);
  t.equal(path.unreceivedBytes, 100);
  path.expire(400, 4_201);
  t.equal(path.unreceivedBytes, 0, "three round trips where that is longer");
});

const trainOf = (spreadMs: number) => ({
  datagrams: 9,
  bytes: 10_000,
  spreadMs,
  totalBytes: 10_000,
  sentSpreadMs: 0,
});

t.test("old trains are forgotten, and the number of trains is bounded", async (t) => {
  const bandwidth = createBandwidthEstimator();
  for (let i = 0; i < 1_000; i++) bandwidth.addBurst(trainOf(10), i);
  t.equal(bandwidth.bitsPerSecond, 8_000_000);
  // No rarity, so no other path either.
  for (let i = 0; i < 40; i++) bandwidth.addBurst(trainOf(i % 2 === 0 ? 40 : 10), 1_000 + i);
  t.equal(bandwidth.bitsPerSecond, 8_000_000, "the upper quartile");
  for (let i = 0; i < 49; i++) bandwidth.addBurst(trainOf(40), 1_100 + i);
  t.equal(bandwidth.bitsPerSecond, 2_000_000);
  bandwidth.addBurst(trainOf(80), 9_000);
  t.equal(bandwidth.bitsPerSecond, 1_000_000, "nothing of the old seconds is left");
});

t.test("arrivals at one instant give a finite rate", async (t) => {
  const bandwidth = createBandwidthEstimator();
  bandwidth.addBurst({ datagrams: 3, bytes: 0, spreadMs: 0, totalBytes: 2_400, sentSpreadMs: 0 }, 0);
  t.equal(bandwidth.bitsPerSecond, 38_400_000);
});

t.test("single datagrams sent faster than the path carries them show how narrow it is", async (t) => {
  const boundAfter = (bitsPerSecond: number) => {
    const path = createPathEstimator();
    const txMs = (size * 8_000) / bitsPerSecond;
    const events: { readonly atMs: number; happen(): void }[] = [];
    let freeMs = 0;
    for (let i = 0; i < 20; i++) {
      const sentMs = i * 60;
      freeMs = Math.max(freeMs, sentMs) + txMs;
      const [arrivedMs, toldMs] = [freeMs + 20, freeMs + 30];
      const report = reportOf(namedBy(i + 1, Math.round(toldMs * 10), [[i, Math.round(arrivedMs * 10)]]));
      events.push({ atMs: sentMs, happen: () => path.sent(i, size, sentMs) });
      events.push({ atMs: toldMs, happen: () => path.handleFeedback(report, 40, toldMs) });
    }
    for (const { happen } of events.sort((one, other) => one.atMs - other.atMs)) happen();
    return path.boundBitsPerSecond;
  };
  t.ok(Math.abs(boundAfter(0.1e6) / 0.1e6 - 1) < 0.05, `${boundAfter(0.1e6)}`);
  t.equal(boundAfter(0.2e6), Infinity, "each is through before the next one comes");
});
