import fc from "fast-check";
import t from "tap";
import { createBandwidthEstimator } from "#src/bandwidth-estimator.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

const train = fc.record({
  datagrams: fc.integer({ min: 3, max: 40 }),
  bytes: fc.integer({ min: 1, max: 50_000 }),
  totalBytes: fc.integer({ min: 1, max: 50_000 }),
  spreadMs: fc.oneof(
    fc.constant(0),
    fc.integer({ min: 1, max: 300 }).map((tenths) => tenths / 10),
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
  const of = (megabits: number) => ({ datagrams: 8, totalBytes: 8_000, bytes: 125 * megabits, spreadMs: 1 });
  for (let i = 0; i < 20; i++) estimator.addBurst(of(i % 5 === 0 ? 2 : 20), 0);
  estimator.addBurst(of(2), 0);
  t.equal(estimator.bitsPerSecond, 20e6);
});
