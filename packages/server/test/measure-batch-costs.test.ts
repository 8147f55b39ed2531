import t from "tap";
import { measureBatchCosts } from "#src/measure-batch-costs.js";

/** Time that only running takes. */
function createBench(cost: (frames: number) => number) {
  let nowMs = 0;
  const sizes: number[] = [];
  return {
    sizes,
    measure: (maxFrames: number) =>
      measureBatchCosts(
        async (frames) => {
          sizes.push(frames);
          nowMs += cost(frames);
        },
        { maxFrames, now: () => nowMs },
      ),
  };
}

t.test("batches of 1, 2, 4, ... are measured as long as they get cheaper", async (t) => {
  t.same(await createBench((frames) => 2 + frames).measure(8), [
    { frames: 1, ms: 3 },
    { frames: 2, ms: 4 },
    { frames: 4, ms: 6 },
    { frames: 8, ms: 10 },
  ]);
  const dearer = createBench((frames) => (frames === 4 ? 100 : 2 + frames));
  t.equal((await dearer.measure(64)).length, 3);
  t.notOk(dearer.sizes.includes(8));
});

t.test("a slow network is measured as far as the time allows, once at least", async (t) => {
  const slow = createBench((frames) => 400 + frames);
  const costs = await slow.measure(16);
  t.equal(costs[0]?.frames, 1);
  t.ok(slow.sizes.length <= 9, `${slow.sizes.length} runs`);
  t.equal((await createBench(() => 5_000).measure(16)).length, 1);
});

t.test("the quickest run counts, not those that were disturbed", async (t) => {
  let run = 0;
  const costs = await createBench(() => (++run % 2 === 1 ? 50 : 5)).measure(1);
  t.same(costs, [{ frames: 1, ms: 5 }]);
});

t.test("what is compiled for each size is left out, however long it takes", async (t) => {
  const seen = new Set<number>();
  const bench = createBench((frames) => {
    const isNew = !seen.has(frames);
    seen.add(frames);
    return (isNew ? 3_000 : 0) + 2 + frames;
  });
  t.same(await bench.measure(8), [
    { frames: 1, ms: 3 },
    { frames: 2, ms: 4 },
    { frames: 4, ms: 6 },
    { frames: 8, ms: 10 },
  ]);
});
