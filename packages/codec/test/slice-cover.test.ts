import { sliceRange } from "@sluice/tensor";
import fc from "fast-check";
import t from "tap";
import { fillSlices, longestSlice } from "#codec/slice-cover.js";

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

const sizes = fc.oneof(
  fc.array(fc.nat(30), { minLength: 1, maxLength: 120, size: "max" }),
  // One unit in many is large.
  fc.array(
    fc.nat(9).map((size) => (size === 9 ? 100 : size)),
    { minLength: 1, maxLength: 120, size: "max" },
  ),
);

t.test("slices cover the range once, fit, and none could be much longer", async () => {
  fc.assert(
    fc.property(
      sizes,
      fc.integer({ min: 100, max: 400 }),
      fc.integer({ min: 1, max: 200 }),
      (sizes, most, expected) => {
        const units = sizes.length;
        const ends = slicesOf(units);
        const bytes = (first: number, end: number) =>
          sizes.slice(first, end).reduce((sum, size) => sum + size, 2);
        let calls = 0;
        const slices = fillSlices(
          { range: { first: 0, end: units }, units, maxPayloadBytes: most + 2, expected },
          ({ first, end }) => {
            calls++;
            return new Uint8Array(bytes(first, end));
          },
        );
        let at = 0;
        for (const { index, count, first, end, payload } of slices) {
          const range = sliceRange(index, count, units);
          if (first !== at || range.first !== at || range.end !== end) return false;
          if (payload.length !== bytes(first, end) || payload.length > most + 2) return false;
          // A whole further average unit would not fit, or no slice ends where it would.
          const average = payload.length / (end - first);
          const next = Math.min(...[...ends[first]!].filter((other) => other > end));
          if (Number.isFinite(next) && bytes(first, next) <= most + 2 && payload.length + average <= most + 2)
            return false;
          at = end;
        }
        return at === units && calls <= 12 * slices.length;
      },
    ),
    { seed, numRuns: 1500 },
  );
});

t.test("a slice is split into slices of its own units", async (t) => {
  const parts = fillSlices(
    { range: sliceRange(2, 7, 100), units: 100, maxPayloadBytes: 50, expected: 1 },
    ({ first, end }) => new Uint8Array(10 * (end - first)),
  );
  t.equal(parts[0]!.first, 28);
  t.equal(parts.at(-1)!.end, 42);
  t.ok(parts.every(({ payload }) => payload.length <= 50));
  t.ok(parts.length <= 4, "three of them at best");
});

t.test("a unit that does not fit is named", async (t) => {
  const encode = ({ first, end }: { first: number; end: number }) =>
    new Uint8Array(first <= 5 && end > 5 ? 101 : end - first);
  t.throws(
    () => fillSlices({ range: { first: 0, end: 9 }, units: 9, maxPayloadBytes: 100, expected: 3 }, encode),
    { field: "maxPayloadBytes", message: "maxPayloadBytes: 100, unit 5 of 9 takes more by itself" },
  );
});
