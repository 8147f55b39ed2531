import { parseCodec } from "@sluice/codec";
import { createTensor, type Layout, type Tensor } from "@sluice/tensor";
import fc from "fast-check";
import t from "tap";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

const shape = [4, 6, 5];
const length = 120;
const orders = [
  { codec: "raw", layout: "chw", interleave: "" },
  { codec: "raw", layout: "chw", interleave: "checkerboard" },
  { codec: "raw", layout: "hwc", interleave: "pseudo-random:seed=3" },
  { codec: "raw", layout: "any", interleave: "channel-strided" },
  // By channels, where the tensor has all channels of a pixel together.
  { codec: "integers | entropy", layout: "hwc", interleave: "" },
] as const satisfies { codec: string; layout: Layout; interleave: string }[];

const counts = [1, 3, 4, 40, 120];
const step = fc.record({
  to: fc.nat({ max: 1 }),
  count: fc.constantFrom(...counts),
  at: fc.nat({ max: 119 }),
  looks: fc.integer({ min: 0, max: 3 }),
});

const tensorOf = (layout: Layout, fill: (i: number) => number) =>
  createTensor(
    "uint8",
    shape,
    Uint8Array.from({ length }, (_, i) => fill(i)),
    layout,
  );

/** What a decoder makes of one slice alone shows where its elements stand. */
function placesOf(
  decoder: ReturnType<ReturnType<typeof parseCodec>["createDecoder"]>,
  slice: Slice,
): number[] {
  const partial = decoder.begin();
  partial.add(slice.index, slice.count, slice.payload);
  const { missing } = partial.finish();
  return [...missing.keys()].filter((i) => missing[i] === 0);
}

const same = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).every((each, i) => each === b[i]);

interface Slice {
  readonly index: number;
  readonly count: number;
  readonly payload: Uint8Array;
}

t.test(
  "two tensors under way at once, looked at whenever, hold what came of each and 0 elsewhere",
  async () => {
    for (const { codec: text, layout, interleave } of orders) {
      const codec = parseCodec(text);
      const tensors = [tensorOf(layout, (i) => i + 1), tensorOf(layout, (i) => 255 - i)];
      const decoder = codec.createDecoder(tensors[0]!, undefined, interleave);
      const encoder = codec.createEncoder(tensors[0]!, undefined, interleave);
      const { units } = decoder;
      const sliceOf = (tensor: Tensor, most: number, at: number): Slice => {
        const count = Math.min(most, units);
        return encoder.encode(tensor, 1_000).split({ index: at % count, count }, 1_000)[0]!;
      };
      fc.assert(
        fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
          const partials = tensors.map((tensor) => {
            const into = { ...tensor, data: new Uint8Array(length).fill(77) };
            return { partial: decoder.begin(undefined, into), tensor, expected: new Uint8Array(length) };
          });
          for (const { to, count, at, looks } of steps) {
            const { partial, tensor, expected } = partials[to]!;
            const slice = sliceOf(tensor, count, at);
            if (partial.add(slice.index, slice.count, slice.payload) !== undefined) return false;
            for (const place of placesOf(decoder, slice)) expected[place] = tensor.data[place]!;
            if (looks === 0 && !same(partial.finish().tensor.data, expected)) return false;
          }
          return partials.every(({ partial, expected }) => same(partial.finish().tensor.data, expected));
        }),
        { seed, numRuns: 150 },
      );
    }
  },
);
