import t from "tap";
import { createCostCurve } from "#src/scheduling/cost-curve.js";

/** A network with a set-up of 2 ms and 1 ms for each frame. */
const measured = [1, 2, 4, 8].map((frames) => ({ frames, ms: 2 + frames }));

t.test(
  "between measured sizes the cost lies on a straight line, beyond them each frame costs the same",
  async (t) => {
    const curve = createCostCurve(measured, 8);
    for (const [frames, ms] of [
      [1, 3],
      [3, 5],
      [6, 8],
      [8, 10],
      [16, 20],
    ] as const) {
      t.equal(curve.msOf(frames), ms, `${frames} frames`);
    }
  },
);

t.test("a larger batch is useful while it makes a frame cheaper by more than 2 %", async (t) => {
  const usefulOf = (perFrame: readonly number[]) =>
    createCostCurve(
      perFrame.map((ms, i) => ({ frames: 2 ** i, ms: ms * 2 ** i })),
      64,
    ).usefulFrames;
  t.equal(usefulOf([100, 100, 100]), 1, "batching does not help");
  t.equal(usefulOf([100, 98.5]), 1);
  t.equal(usefulOf([100, 97]), 2);
  t.equal(usefulOf([100, 50, 49.6, 49.2]), 2, "the last doublings gain 1.6 % together");
  t.equal(usefulOf([100, 50, 49.6, 40]), 8, "the best is looked for, not the first that gains little");
  t.equal(usefulOf([0.3, 0.3, 0.3, 0.3, 0.3]), 16, "of short runs each costs to be handed over");
  t.equal(createCostCurve([], 8).usefulFrames, 1);
  t.equal(createCostCurve(measured, 2).usefulFrames, 2, "no more than the network takes");
});

t.test("while few frames wait, a smaller batch does that costs little more", async (t) => {
  // 3, 2, 1.5 and 1.25 ms a frame.
  const curve = createCostCurve(measured, 8);
  t.equal(curve.nextFrames(7), 8, "half of it would cost a fifth more");
  const flat = createCostCurve(
    [1.3, 1.12, 1.05, 1].map((ms, i) => ({ frames: 2 ** i, ms: ms * 2 ** i })),
    8,
  );
  t.equal(flat.nextFrames(7), 2);
  t.equal(flat.nextFrames(8), 8, "with a full batch waiting the throughput counts");
});

t.test("runs tell how fast the machine is now, for all sizes alike", async (t) => {
  const curve = createCostCurve(measured, 8);
  for (let i = 0; i < 100; i++) curve.observe(8, 20);
  t.ok(Math.abs(curve.msOf(8) - 20) < 0.01 && Math.abs(curve.msOf(1) - 6) < 0.01);
  curve.observe(8, 1_000);
  const after = curve.msOf(8);
  t.ok(after > 100 && after < 200, `one slow run counts an eighth: ${after}`);
  curve.forget(0);
  t.equal(curve.msOf(8), after * 0.95);
  curve.forget(400);
  t.equal(curve.msOf(8), after * 0.95 * 0.5, "rare frames do not wait for many others to be shed");
  curve.forget(60_000);
  t.ok(curve.msOf(8) > 0, "something is expected nevertheless");
});

t.test("without a measurement the first run is one", async (t) => {
  const curve = createCostCurve([], 1);
  t.equal(curve.msOf(1), 0);
  curve.observe(1, 8);
  t.equal(curve.msOf(1), 8);
});
