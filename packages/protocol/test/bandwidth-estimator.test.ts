import fc from "fast-check";
import t from "tap";
import { createBandwidthEstimator } from "#src/bandwidth-estimator.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

const train = fc.record({
  datagrams: fc.integer({ min: 2, max: 40 }),
  bytes: fc.integer({ min: 1, max: 50_000 }),
  totalBytes: fc.integer({ min: 1, max: 50_000 }),
  sentSpreadMs: fc.integer({ min: 0, max: 30 }),
  spreadMs: fc.oneof(
    fc.constant(0),
    fc.integer({ min: 1, max: 600 }).map((tenths) => tenths / 10),
  ),
});
const step = fc.record({
  train,
  isRun: fc.boolean(),
  // Several trains of one report, frames, and pauses in which samples grow old.
  afterMs: fc.constantFrom(0, 0, 0, 33, 1_500, 5_000),
});

t.test("the estimate is the same however seldom it is asked for", async () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 200 }), fc.nat({ max: 9 }), (steps, rest) => {
      const [often, seldom] = [createBandwidthEstimator(), createBandwidthEstimator()];
      let nowMs = 0;
      for (const [i, { train, isRun, afterMs }] of steps.entries()) {
        nowMs += afterMs;
        for (const estimator of [often, seldom]) {
          if (isRun) estimator.addRun(train, nowMs);
          else estimator.addBurst(train, nowMs);
        }
        const estimate = often.bitsPerSecond;
        if (i % 10 === rest && seldom.bitsPerSecond !== estimate) return false;
      }
      return often.bitsPerSecond === seldom.bitsPerSecond;
    }),
    { seed, numRuns: 500 },
  );
});

t.test("of trains that differ the common rate counts, not the last one", async (t) => {
  const estimator = createBandwidthEstimator();
  t.equal(estimator.bitsPerSecond, undefined, "nothing is known at first");
  const of = (megabits: number) => ({
    ...{ datagrams: 8, totalBytes: 8_000, bytes: 125 * megabits },
    ...{ spreadMs: 1, sentSpreadMs: 0 },
  });
  for (let i = 0; i < 20; i++) estimator.addBurst(of(i % 5 === 0 ? 2 : 20), 0);
  estimator.addBurst(of(2), 0);
  t.equal(estimator.bitsPerSecond, 20e6);
});

const pairOf = (bitsPerSecond: number) => {
  const bytes = 1_000;
  const spreadMs = (bytes * 8_000) / bitsPerSecond;
  return { datagrams: 2, bytes, totalBytes: bytes, spreadMs, sentSpreadMs: 0 };
};
const burstOf = (bitsPerSecond: number) => ({ ...pairOf(bitsPerSecond), datagrams: 8 });

t.test(
  "pairs show that a path has become a narrow one, how narrow it is, and that it is none any more",
  async (t) => {
    const estimator = createBandwidthEstimator();
    for (let i = 0; i < 10; i++) estimator.addBurst(burstOf(20e6), i * 33);
    for (const nowMs of [330, 660]) estimator.addBurst(pairOf(0.2e6), nowMs);
    t.equal(estimator.boundBitsPerSecond, Infinity, "what longer trains have just shown is known better");
    for (const nowMs of [800, 900]) estimator.addBurst(pairOf(0.3e6), nowMs);
    t.equal(estimator.boundBitsPerSecond, 0.3e6);
    t.equal(estimator.bitsPerSecond, 20e6, "a stream on it is not held back");
    t.equal(estimator.measuredMs, 297);
    for (const nowMs of [1_000, 1_100, 1_200]) estimator.addBurst(pairOf(0.8e6), nowMs);
    t.equal(estimator.boundBitsPerSecond, 0.8e6);
    for (const nowMs of [1_300, 1_400, 1_500]) estimator.addBurst(pairOf(8e6), nowMs);
    t.equal(estimator.boundBitsPerSecond, Infinity, "pairs together show no bound");
  },
);

t.test(
  "timers and stalls that keep some pairs apart are no bound, and neither are small datagrams",
  async (t) => {
    const estimator = createBandwidthEstimator();
    for (let i = 0; i < 100; i++) {
      estimator.addBurst(pairOf(i % 5 < 2 ? 0.3e6 : 20e6), i * 33);
      if (i >= 4) t.equal(estimator.boundBitsPerSecond, Infinity);
    }
    const small = createBandwidthEstimator();
    for (let i = 0; i < 9; i++) small.addBurst({ ...pairOf(0.3e6), bytes: 200, totalBytes: 200 }, i * 33);
    t.equal(small.boundBitsPerSecond, Infinity);
  },
);

t.test("a burst of three that was faster ends a bound, one that was not does not", async (t) => {
  const estimator = createBandwidthEstimator();
  for (const nowMs of [0, 100]) estimator.addBurst(pairOf(0.3e6), nowMs);
  t.equal(estimator.boundBitsPerSecond, 0.3e6);
  estimator.addBurst(burstOf(0.35e6), 5_000);
  t.equal(estimator.boundBitsPerSecond, 0.3e6);
  estimator.addBurst(burstOf(4e6), 5_200);
  t.equal(estimator.boundBitsPerSecond, Infinity);
});

t.test("runs through which the queue grew are a bound, those of a path that wanders none", async (t) => {
  const after = (sentSpreadMs: number, bytes: number) => {
    const estimator = createBandwidthEstimator();
    for (const nowMs of [1_000, 1_250])
      estimator.addRun({ datagrams: 5, bytes, totalBytes: bytes, spreadMs: 240, sentSpreadMs }, nowMs);
    return estimator.boundBitsPerSecond;
  };
  t.equal(after(150, 3_000), 0.1e6, "sent in 150 ms, come in 240");
  t.equal(after(200, 3_000), Infinity, "sent in 200 ms");
  t.equal(after(150, 800), Infinity, "of datagrams of which most is headers");
});

t.test("two trains that took longer than stalls last show a slower path", async (t) => {
  const after = (slowBitsPerSecond: number, datagrams: number) => {
    const estimator = createBandwidthEstimator();
    for (let i = 0; i < 20; i++) estimator.addBurst({ ...pairOf(20e6), datagrams: 8 }, i);
    for (const nowMs of [30, 60]) estimator.addBurst({ ...pairOf(slowBitsPerSecond), datagrams }, nowMs);
    return estimator.bitsPerSecond;
  };
  for (const datagrams of [8, 3]) {
    t.equal(after(0.1e6, datagrams), 0.1e6, "80 ms instead of 0.4");
    t.equal(after(0.4e6, datagrams), 20e6, "20 ms: a machine may have stood still");
  }
});
