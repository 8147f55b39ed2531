import { setFlagsFromString } from "node:v8";
import { sliceRange } from "@sluice/tensor";
import fc from "fast-check";
import t from "tap";
import { createMissingMask } from "#codec/missing-mask.js";
import { elementOrder, extentOf, type UnitOrder } from "#codec/unit-order.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

const length = 60;
const spec = { dtype: "uint8", shape: [length], layout: "any" } as const;
const shuffled: UnitOrder = {
  ...elementOrder(spec),
  reordered: { kind: "table", places: Uint32Array.from({ length }, (_, i) => (i * 7) % length) },
};

/** Two channels of each pixel together, taken one behind the other. */
const transposed: UnitOrder = {
  ...elementOrder(spec),
  reordered: { kind: "transpose", channels: 2, pixels: length / 2 },
};

function placeOf({ reordered }: UnitOrder, i: number): number {
  if (reordered?.kind === "table") return reordered.places[i]!;
  return reordered?.kind === "transpose" ? (i % 30) * 2 + Math.floor(i / 30) : i;
}

const slice = fc
  .tuple(fc.constantFrom(1, 4, 8, 60), fc.nat({ max: 59 }))
  .map(([count, n]) => ({ count, index: n % count }));

t.test("whatever slices come, in whatever order, the mask is that of their elements", async () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ slice, looks: fc.boolean() }), { maxLength: 12 }),
      fc.constantFrom(elementOrder(spec), shuffled, transposed),
      (steps, order) => {
        const mask = createMissingMask(order, new Uint8Array(length));
        const expected = new Uint8Array(length).fill(1);
        for (const { slice, looks } of steps) {
          const { first, end } = sliceRange(slice.index, slice.count, length);
          mask.add(slice.index, slice.count, extentOf(order, first, end));
          for (let i = first; i < end; i++) expected[placeOf(order, i)] = 0;
          const missing = expected.reduce((sum, element) => sum + element, 0);
          if (mask.count() !== missing) return false;
          if (looks && !mask.elements().every((element, i) => element === expected[i])) return false;
        }
        return mask.elements().every((element, i) => element === expected[i]);
      },
    ),
    { seed, numRuns: 500 },
  );
});

t.test("the mask is live: what comes after it was asked for changes it", async (t) => {
  const order = elementOrder(spec);
  const mask = createMissingMask(order, new Uint8Array(length));
  const elements = mask.elements();
  t.equal(elements[0], 1);
  mask.add(0, 4, extentOf(order, 0, 15));
  t.equal(elements[0], 0);
  t.equal(elements[15], 1);
  t.equal(mask.count(), 45);
});

t.test(
  "a mask is no dictionary: each would keep what it held until the next full garbage collection",
  async (t) => {
    setFlagsFromString("--allow-natives-syntax");
    const isFast = new Function("object", "return %HasFastProperties(object)") as (object: object) => boolean;
    t.ok(isFast(createMissingMask(elementOrder(spec), new Uint8Array(length))));
    const withAccessor = {
      get count() {
        return length;
      },
    };
    t.notOk(isFast(withAccessor), "as an object with an accessor is");
  },
);
