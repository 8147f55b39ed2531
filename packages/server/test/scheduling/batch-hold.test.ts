import t from "tap";
import { holdUntilMs } from "#src/scheduling/batch-hold.js";
import { createCostCurve } from "#src/scheduling/cost-curve.js";

/** 10 ms to set up, 1 ms a frame: a second frame saves 10 ms. */
const curve = createCostCurve(
  [1, 2, 4, 8].map((frames) => ({ frames, ms: 10 + frames })),
  8,
);
const base = { curve, frames: 1, gapMs: 5, expiresAtMs: 1_000, idleSinceMs: 100 };

t.test("a network that cannot keep up waits for more frames, no longer than what that saves", async (t) => {
  t.equal(holdUntilMs(base), 110);
  t.equal(holdUntilMs({ ...base, frames: 4 }), 100, "four at once keep up with a frame each 5 ms");
});

t.test(
  "it does not wait where it keeps up, where nothing is to be gained or the batch is full",
  async (t) => {
    const atOnce = { gapMs: Number.POSITIVE_INFINITY, slow: 15 };
    t.equal(holdUntilMs({ ...base, gapMs: atOnce.gapMs }), 100, "nothing is known of the next frame");
    t.equal(holdUntilMs({ ...base, gapMs: atOnce.slow }), 100, "each one is done before the next comes");
    t.equal(holdUntilMs({ ...base, frames: 8, gapMs: 0.1 }), 100, "full");
    const linear = createCostCurve(
      [1, 2, 4].map((frames) => ({ frames, ms: 10 * frames })),
      4,
    );
    t.equal(holdUntilMs({ ...base, curve: linear }), 100, "batching does not help");
  },
);

t.test("it never waits so long that the first to be due would be late in a full batch", async (t) => {
  // 18 ms for a full batch, 11 ms in reserve for one frame.
  t.equal(holdUntilMs({ ...base, expiresAtMs: 134 }), 105);
  t.ok(holdUntilMs({ ...base, expiresAtMs: 120 }) < 100);
});
