import { sliceRange } from "@sluice/tensor";
import fc from "fast-check";
import t from "tap";
import { longestSlice } from "#codec/slice-cover.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

/** For each first unit, the ends of all slices that begin there. */
function slicesOf(units: number): Set<number>[] {
  const ends = Array.from({ length: units }, () => new Set<number>());
  for (let count = 1; count <= units; count++) {
    for (let index = 0; index < count; index++) {
      const { first, end } = sliceRange(index, count, units);
      ends[first]!.add(end);
    }
  }
  return ends;
}

t.test("the longest slice is the longest of all, for every number of units up to 90", async (t) => {
  for (let units = 1; units <= 90; units++) {
    const ends = slicesOf(units);
    for (let first = 0; first < units; first++) {
      for (let most = first + 1; most <= units; most++) {
        const slice = longestSlice(first, most, units);
        const longest = Math.max(...[...ends[first]!].filter((end) => end <= most));
        const { first: covers, end } = sliceRange(slice.index, slice.count, units);
        if (covers !== first || end !== slice.end || end !== longest || slice.first !== first)
          t.fail(`${units} units, ${first} to ${most}: ${JSON.stringify(slice)}, longest ends at ${longest}`);
      }
    }
  }
  t.pass("all");
});

t.test("of any number of units it begins where it must and is no longer than was asked for", async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1 << 24 }), fc.nat(), fc.nat(), (units, a, b) => {
      const first = a % units;
      const most = first + 1 + (b % (units - first));
      const slice = longestSlice(first, most, units);
      const { first: covers, end } = sliceRange(slice.index, slice.count, units);
      return covers === first && end === slice.end && end <= most;
    }),
    { seed, numRuns: 300 },
  );
});

t.test("what is asked for and cannot be is refused by name", async (t) => {
  for (const [first, most, units] of [
    [0, 0, 4],
    [2, 2, 4],
    [3, 5, 4],
    [-1, 2, 4],
    [0.5, 2, 4],
    [0, Number.NaN, 4],
  ] as const) {
    t.throws(() => longestSlice(first, most, units), { name: "TensorError", field: "slice" });
  }
});
