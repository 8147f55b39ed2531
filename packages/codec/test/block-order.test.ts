import { createTensor, elementCount, type Layout } from "@sluice/tensor";
import fc from "fast-check";
import t from "tap";
import { blockOrder } from "#codec/block-order.js";
import { channelGrid } from "#codec/channel-grid.js";
import {
  channelElementOrder,
  clearMissing,
  extentOf,
  fromUnitOrder,
  toUnitOrder,
} from "#codec/unit-order.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

const side = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(1, 8, 64, 128, 129, 200, 300));
const shapes = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 4 }), side, side),
  fc.tuple(side, side),
  fc.tuple(fc.integer({ min: 1, max: 3000 })),
  fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), side, side),
  fc.constant<number[]>([]),
);

t.test("units hold every element once, and elements come back to their places", async () => {
  fc.assert(
    fc.property(
      shapes,
      fc.constantFrom<Layout>("any", "chw", "hwc"),
      fc.boolean(),
      (shape, wanted, byBlocks) => {
        const layout = shape.length === 3 ? wanted : "any";
        const spec = { dtype: "int32", shape, layout } as const;
        const order = byBlocks ? blockOrder(spec) : channelElementOrder(spec);
        const count = elementCount(shape);
        const data = Int32Array.from({ length: count }, (_, i) => i + 1);
        const tensor = createTensor("int32", shape, data, layout);
        const whole = extentOf(order, 0, order.units);
        const ordered = createTensor("int32", shape, undefined, layout);
        if (order.reordered) toUnitOrder(order, whole, tensor, ordered);
        else ordered.data.set(tensor.data);
        if (new Set(ordered.data).size !== count || whole.elements.end !== count) return false;
        const back = createTensor("int32", shape, undefined, layout);
        const missing = new Uint8Array(count).fill(1);
        // Unit by unit, so that each must find its own.
        for (let unit = 0; unit < order.units; unit++) {
          const extent = extentOf(order, unit, unit + 1);
          const { first, end } = extent.elements;
          if (end - first < 1 || end - first > 1024) return false;
          if (order.reordered) fromUnitOrder(order, extent, ordered, back);
          else back.data.set(ordered.data.subarray(first, end), first);
          if (clearMissing(order, extent, missing) !== end - first) return false;
          if (clearMissing(order, extent, missing) !== 0) return false;
        }
        return back.data.every((value, i) => value === i + 1) && missing.every((flag) => flag === 0);
      },
    ),
    { seed, numRuns: 400 },
  );
});

t.test("a unit is a channel, or a block of one that is a rectangle", async (t) => {
  const cases: [number[], Layout, number, number, number][] = [
    // shape, layout, units, rows and columns of a block
    [[32, 28, 28], "chw", 32, 28, 28],
    [[28, 28, 32], "hwc", 32, 28, 28],
    [[16, 32, 32], "chw", 16, 32, 32],
    [[64, 56, 56], "chw", 256, 16, 56],
    [[3, 224, 224], "chw", 3 * 28 * 2, 8, 112],
    [[3, 1080, 1920], "chw", 3 * 135 * 15, 8, 128],
    [[512, 7, 7], "chw", 512, 7, 7],
    [[2, 130, 130], "chw", 2 * 2 * 17, 8, 72],
    [[1000], "any", 8, 1, 128],
    [[], "any", 1, 1, 1],
    [[2, 3, 4, 5], "any", 6, 4, 5],
  ];
  for (const [shape, layout, units, rows, columns] of cases) {
    const order = blockOrder({ shape, layout });
    t.strictSame(
      [order.units, order.blockRows, order.blockColumns],
      [units, rows, columns],
      `${shape} ${layout}`,
    );
  }
});

t.test("channels, rows and columns of every layout", async (t) => {
  const grid = (shape: number[], layout: Layout) => Object.values(channelGrid({ shape, layout }));
  t.strictSame(grid([2, 3, 4], "chw"), [2, 3, 4, 12, 4, 1]);
  t.strictSame(grid([3, 4, 2], "hwc"), [2, 3, 4, 1, 8, 2]);
  t.strictSame(grid([2, 3, 4], "any"), [2, 3, 4, 12, 4, 1]);
  t.strictSame(grid([5, 2, 3, 4], "any"), [10, 3, 4, 12, 4, 1]);
  t.strictSame(grid([3, 4], "any"), [1, 3, 4, 12, 4, 1]);
  t.strictSame(grid([4], "any"), [1, 1, 4, 4, 4, 1]);
  t.strictSame(grid([], "any"), [1, 1, 1, 1, 1, 1]);
});
