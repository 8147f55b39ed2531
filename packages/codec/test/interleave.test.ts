import {
  formatInterleaving,
  interleavings,
  parseCodec,
  parseInterleaving,
  prepareCodec,
} from "@sluice/codec";
import { type Dtype, elementCount, type Layout, sliceRange, type Tensor } from "@sluice/tensor";
import fc from "fast-check";
import t from "tap";
import { shuffledPlaces, spreadPlaces } from "#codec/interleave/dealing-order.js";
import { createRandom, madeStatistics, smoothTensor } from "./sluice/made-statistics.js";
import { waveTensor } from "./wave-tensor.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

/** Orders of each kind of codec; all others are refused. */
const kinds = [
  { codec: "raw", orders: ["", "channel-strided", "checkerboard", "pseudo-random:seed=7"] },
  { codec: "quantize:levels=16", orders: ["", "channel-strided", "checkerboard", "pseudo-random:seed=7"] },
  {
    codec: "quantize:levels=16 | entropy",
    orders: ["", "channel-strided", "checkerboard", "pseudo-random:seed=7"],
  },
  { codec: "quantize:levels=256 | tile | jpeg", orders: ["", "channel-strided", "pseudo-random:seed=7"] },
  {
    codec: "transform:block=4 | quantize:levels=64 | entropy",
    orders: ["", "channel-strided", "pseudo-random:seed=7"],
  },
  { codec: "sluice", orders: ["", "checkerboard", "pseudo-random:seed=7"] },
];
const cases = kinds.flatMap(({ codec, orders }) => orders.map((interleave) => ({ codec, interleave })));

function statisticsOf(tensor: Tensor) {
  return madeStatistics(tensor.shape, tensor.layout, createRandom(seed));
}

t.test("texts", async (t) => {
  for (const [text, canonical] of [
    ["", ""],
    ["contiguous", ""],
    [" checkerboard ", "checkerboard"],
    ["channel-strided", "channel-strided"],
    ["pseudo-random", "pseudo-random:seed=1"],
    ["pseudo-random: seed = 007", "pseudo-random:seed=7"],
    ["pseudo-random:seed=999999999", "pseudo-random:seed=999999999"],
  ] as const)
    t.equal(formatInterleaving(parseInterleaving(text)), canonical, text);
  for (const [text, message] of [
    ["chequerboard", /^interleave: unknown order "chequerboard", did you mean checkerboard\? \(known: /],
    ["checkerboard:n=2", /^interleave\.checkerboard: has no parameters/],
    [
      "pseudo-random:seed=1000000000",
      /^interleave\.pseudo-random: must be seed=N with N from 0 to 999999999/,
    ],
    ["pseudo-random:seed=1,seed=1", /^interleave\.pseudo-random/],
    ["pseudo-random:", /^interleave\.pseudo-random/],
    ["pseudo-random:seed", /^interleave\.pseudo-random/],
    ["x".repeat(65), /^interleave: 65 characters, at most 64 are allowed/],
  ] as const)
    t.throws(() => parseInterleaving(text), { name: "TensorError", message }, text);
});

t.test("an order that does not suit the codec is refused, and which do is said", async (t) => {
  const tensor = waveTensor("float32", [4, 8, 8], "chw");
  const statistics = statisticsOf(tensor);
  for (const { codec, orders } of kinds) {
    const prepared = await prepareCodec(codec);
    for (const kind of interleavings) {
      if (kind === "contiguous" || orders.some((order) => order.startsWith(kind))) continue;
      const message = new RegExp(`^interleave: ${kind}, .*use `);
      const expected = { name: "TensorError", message };
      t.throws(() => prepared.createDecoder(tensor, statistics, kind), expected, `${codec} ${kind}`);
      t.throws(() => prepared.createEncoder(tensor, statistics, kind), expected);
    }
  }
  const odd = { dtype: "uint8", shape: [2, 3, 4], layout: "chw" } as const;
  t.throws(() => parseCodec("integers | entropy").createDecoder(odd, undefined, "checkerboard"), {
    message: /^interleave: checkerboard, and a channel has 3 rows/,
  });
  const huge = { dtype: "uint8", shape: [1025, 1024], layout: "any" } as const;
  for (const order of ["checkerboard", "channel-strided", "pseudo-random"])
    t.throws(() => parseCodec("raw").createDecoder(huge, undefined, order), {
      message: "interleave: the tensor has 1049600 elements, at most 1048576 are interleaved",
    });
});

t.test("dealt places are all places, once", async () => {
  const size = fc.integer({ min: 1, max: 70 });
  fc.assert(
    fc.property(size, size, fc.nat(999_999_999), (rows, columns, seed) => {
      const isAll = (places: Uint32Array) => places.toSorted().every((place, i) => place === i);
      const [spread, shuffled] = [spreadPlaces(rows, columns), shuffledPlaces(rows * columns, seed)];
      return spread.length === rows * columns && isAll(spread) && isAll(shuffled);
    }),
    { seed, numRuns: 300 },
  );
});

t.test("places that are dealt one after the other lie apart", async (t) => {
  const [size, cells] = [16, 64];
  const dealt = spreadPlaces(size, size);
  const isBlack = (place: number) => (Math.floor(place / size) + place) % 2 === 0;
  t.ok([...dealt.subarray(0, 128)].every(isBlack), "the first half is one colour of the checkerboard");
  t.ok([...dealt.subarray(128)].every((place) => !isBlack(place)));
  // Any quarter of the places has one in nearly each of the cells of 2 x 2.
  for (let from = 0; from + cells <= dealt.length; from++) {
    const hit = new Set<number>();
    for (const place of dealt.subarray(from, from + cells))
      hit.add(8 * Math.floor(place / size / 2) + Math.floor((place % size) / 2));
    t.ok(hit.size >= cells - 16, `from ${from}: ${hit.size} cells`);
  }
});

/** Elements of the tensor that a slice holds, by asking the decoder what it then no longer misses. */
t.test("any slices give their own elements, whatever the order, and all of them the tensor", async () => {
  const prepared = new Map(
    await Promise.all(kinds.map(async ({ codec }) => [codec, await prepareCodec(codec)] as const)),
  );
  const shape = fc.tuple(
    fc.integer({ min: 1, max: 6 }),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 12 }),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...cases),
      fc.constantFrom<Layout>("chw", "hwc"),
      shape,
      fc.infiniteStream(fc.boolean()),
      ({ codec, interleave }, layout, [channels, rows, columns], comes) => {
        // Half of an odd number of rows cannot be.
        if (codec.includes("16 | entropy") && interleave === "checkerboard" && rows % 2 !== 0) return true;
        const isChw = layout === "chw";
        const tensor = waveTensor(
          "float32",
          isChw ? [channels, rows, columns] : [rows, columns, channels],
          layout,
        );
        const statistics = statisticsOf(tensor);
        const made = prepared.get(codec)!;
        const encoder = made.createEncoder(tensor, statistics, interleave);
        const decoder = made.createDecoder(tensor, statistics, interleave);
        const { slices } = encoder.encode(tensor, 300);
        const [whole, partial] = [decoder.begin(), decoder.begin()];
        const alone = slices.map(({ index, count, payload }) => {
          if (whole.add(index, count, payload) !== undefined) throw new Error("refused");
          const own = decoder.begin();
          own.add(index, count, payload);
          return own.finish().missing.slice();
        });
        const all = whole.finish();
        if (all.missingCount !== 0) return false;
        const came = slices.map(() => comes.next().value!);
        for (const [i, { index, count, payload }] of slices.entries())
          if (came[i]) partial.add(index, count, payload);
        const { tensor: got, missing } = partial.finish();
        // Layers of one block lie in several slices: what a block is then differs.
        const isLayered = codec === "sluice";
        return missing.every((flag, i) => {
          const isHere = alone.some((mask, slice) => came[slice] && mask[i] === 0);
          const isRight = flag === 1 ? got.data[i] === 0 : isLayered || got.data[i] === all.tensor.data[i];
          return flag === (isHere ? 0 : 1) && isRight;
        });
      },
    ),
    { seed, numRuns: 400 },
  );
});

t.test("interleaving changes which slice holds an element, and nothing of the whole tensor", async (t) => {
  const dtypes: [string, Dtype][] = [
    ["raw", "float16"],
    ["quantize:levels=32,clip=6,per=channel", "float32"],
    ["quantize:levels=16,clip=6,per=channel | entropy", "float32"],
    ["sluice:quality=70", "float32"],
  ];
  for (const [codec, dtype] of dtypes) {
    for (const layout of ["chw", "hwc"] as const) {
      const shape = layout === "chw" ? [5, 8, 7] : [8, 7, 5];
      const tensor = codec.startsWith("sluice")
        ? smoothTensor({ dtype: "float32", shape, layout }, createRandom(seed))
        : waveTensor(dtype, shape, layout);
      const made = statisticsOf(tensor);
      const statistics = {
        ...made,
        channelMean: Float32Array.from({ length: 5 }, (_, c) => 10 * c),
        channelDeviation: Float32Array.from({ length: 5 }, (_, c) => 3 + 4 * c),
        channelMinimum: Float32Array.from({ length: 5 }, (_, c) => -7 * c),
        channelMaximum: Float32Array.from({ length: 5 }, (_, c) => 60 + c),
      };
      const decoded = (interleave: string) => {
        const encoder = parseCodec(codec).createEncoder(tensor, statistics, interleave);
        const partial = parseCodec(codec).createDecoder(tensor, statistics, interleave).begin();
        for (const { index, count, payload } of encoder.encode(tensor, 200).slices)
          partial.add(index, count, payload);
        return partial.finish();
      };
      const plain = decoded("");
      t.equal(plain.missingCount, 0);
      for (const order of ["channel-strided", "checkerboard", "pseudo-random:seed=7"])
        if (!(codec.startsWith("sluice") && order === "channel-strided"))
          t.strictSame(decoded(order).tensor, plain.tensor, `${codec} ${layout} ${order}`);
    }
  }
});

t.test("a slice of a checkerboard has as much of each channel as of the others", async (t) => {
  const tensor = waveTensor("float32", [8, 12, 10], "chw");
  const decoder = parseCodec("raw").createDecoder(tensor, undefined, "checkerboard");
  const encoder = parseCodec("raw").createEncoder(tensor, undefined, "checkerboard");
  const { slices } = encoder.encode(tensor, 1000);
  t.ok(slices.length > 3);
  for (const { index, count, payload } of slices) {
    const partial = decoder.begin();
    partial.add(index, count, payload);
    const { missing } = partial.finish();
    const { first, end } = sliceRange(index, count, elementCount(tensor.shape));
    const held = Array.from({ length: 8 }, (_, c) =>
      missing.subarray(120 * c, 120 * (c + 1)).reduce((sum, flag) => sum + 1 - flag, 0),
    );
    t.ok(Math.max(...held) - Math.min(...held) <= 1, `${held}`);
    t.equal(
      held.reduce((a, b) => a + b),
      end - first,
    );
  }
});

t.test("frames are predicted from earlier ones in any order", async (t) => {
  for (const codec of [
    "quantize:levels=32 | predict | entropy",
    "quantize:levels=32 | predict",
    "sluice:memory=2",
  ]) {
    const chosen = ["checkerboard", "pseudo-random:seed=7"];
    const [first, second] = [1, 2].map(() => waveTensor("float32", [6, 12, 12], "chw"));
    const statistics = statisticsOf(first!);
    const run = (interleave: string) => {
      const encoder = parseCodec(codec).createEncoder(first!, statistics, interleave);
      const decoder = parseCodec(codec).createDecoder(first!, statistics, interleave);
      return [first!, second!].map((tensor, frame) => {
        const { slices } = encoder.encode(tensor, 200, { frame });
        const partial = decoder.begin(frame);
        for (const { index, count, payload } of slices)
          if (partial.add(index, count, payload) !== undefined) throw new Error("refused");
        encoder.acknowledge?.(frame);
        const bytes = slices.reduce((sum, { payload }) => sum + payload.length, 0);
        const { tensor: got, missingCount } = partial.finish();
        return { bytes, data: got.data.slice(), missingCount };
      });
    };
    const plain = run("");
    for (const interleave of chosen) {
      const [whole, predicted] = run(interleave);
      t.strictSame([whole!.missingCount, predicted!.missingCount], [0, 0], `${codec} ${interleave}`);
      t.strictSame([whole!.data, predicted!.data], [plain[0]!.data, plain[1]!.data]);
      if (codec !== "quantize:levels=32 | predict")
        t.ok(predicted!.bytes < whole!.bytes / 2, `${predicted!.bytes} after ${whole!.bytes}`);
    }
  }
});
