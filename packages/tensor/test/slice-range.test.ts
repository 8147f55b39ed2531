import { sliceRange, TensorError } from "@sluice/tensor";
import fc from "fast-check";
import t from "tap";

const seed = Number(process.env.SLUICE_SEED ?? 20261123);
t.comment(`seed ${seed}`);

t.test("slices meet without gap or overlap, and none is empty", async () => {
  const units = fc.integer({ min: 1, max: 3000 });
  const sizes = units.chain((units) => fc.tuple(fc.constant(units), fc.integer({ min: 1, max: units })));
  fc.assert(
    fc.property(sizes, ([units, count]) => {
      let at = 0;
      for (let index = 0; index < count; index++) {
        const { first, end } = sliceRange(index, count, units);
        if (first !== at || end <= first || end - first > Math.ceil(units / count)) return false;
        at = end;
      }
      return at === units;
    }),
    { seed, numRuns: 300 },
  );
});

t.test("exact at the limits: the same as with integers of any size", async () => {
  const sizes = fc
    .tuple(fc.integer({ min: 1, max: 1 << 24 }), fc.nat(), fc.nat())
    .map(([units, a, b]): [number, number, number] => {
      const count = 1 + (a % units);
      return [units, count, b % count];
    });
  fc.assert(
    fc.property(sizes, ([units, count, index]) => {
      const { first, end } = sliceRange(index, count, units);
      const exact = (i: number) => Number((BigInt(i) * BigInt(units)) / BigInt(count));
      return first === exact(index) && end === exact(index + 1);
    }),
    { seed, numRuns: 2000 },
  );
});

t.test("a split slice covers its own range", async (t) => {
  const { first, end } = sliceRange(2, 5, 103);
  const parts = [0, 1, 2, 3].map((part) => sliceRange(2 * 4 + part, 5 * 4, 103));
  t.equal(parts[0]!.first, first);
  t.equal(parts[3]!.end, end);
});

t.test("refuses what is out of range and names it", async (t) => {
  const refused: [number, number, number, string][] = [
    [0, 0, 10, "count"],
    [0, 11, 10, "count"],
    [0, 1.5, 10, "count"],
    [3, 3, 10, "index"],
    [-1, 3, 10, "index"],
    [Number.NaN, 3, 10, "index"],
    [0, 1, 0, "units"],
    [0, 1, 2 ** 24 + 1, "units"],
  ];
  for (const [index, count, units, field] of refused) {
    t.throws(
      () => sliceRange(index, count, units),
      { name: "TensorError", field },
      `${index} ${count} ${units}`,
    );
  }
  t.throws(() => sliceRange(0, 0, 1), TensorError);
});
