// Several tensors in a frame (spec 6.14): payloads of slices within and across tensors, and what comes of some of them.
import { hex } from "./hex-text.mjs";
import { bundleOf, encodeBundle, receiveBundle } from "./naive-bundle.mjs";
import { elements } from "./naive-codec.mjs";

export const about =
  "Several tensors in a frame: encoded slices, and bundles decoded and concealed from some of them.";

const any = (dtype, ...shape) => ({ dtype, shape, layout: "any" });
const chw = (dtype, ...shape) => ({ dtype, shape, layout: "chw" });
const quantized = "quantize:levels=32,clip=6,per=tensor";
const coded = `${quantized} | entropy`;
const range = (length) => Array.from({ length }, (_, i) => i);
const waves = (length, mean, height) => range(length).map((i) => mean + height * Math.sin(i * 1.3));

/** The example of the text. */
const small = {
  spec: bundleOf(any("float32", 2), any("uint8", 1), any("float32")),
  data: hex("0000803f 00000040 07 00004040"),
};
/** Two of one type, but of ranges that have nothing in common. */
const floats = {
  spec: bundleOf(chw("float32", 2, 3, 3), any("float32", 8)),
  data: elements("float32", waves(18, 0, 2)) + elements("float32", waves(8, 1000, 1)),
};
const mixed = {
  spec: bundleOf(chw("float32", 2, 3, 3), any("int32", 5), {
    dtype: "float32",
    shape: [2, 2, 3],
    layout: "hwc",
  }),
  data:
    elements("float32", waves(18, 0, 2)) +
    elements("int32", [-1, 2, 3, 70_000, 5]) +
    elements("float32", waves(12, -3, 0.1)),
};
const halves = {
  spec: bundleOf(any("float16", 6), any("int8", 3), any("uint8", 3)),
  data: elements("float16", waves(6, 1, 1)) + hex("ff 00 01") + hex("00 01 ff"),
};

const wholes = [
  ["raw", { ...small, codec: "raw" }, 1],
  ["raw-within", { ...small, codec: "raw" }, 2],
  ["floats", { ...floats, codec: quantized }, 5],
  ["entropy-floats", { ...floats, codec: coded }, 5],
  ["mixed", { ...mixed, codec: quantized }, 1],
  ["mixed-within", { ...mixed, codec: quantized }, 7],
  ["entropy-mixed", { ...mixed, codec: coded }, 4],
  ["float16-and-bytes", { ...halves, codec: quantized }, 3],
];

const byHand = {
  "raw/0": hex("08000000 0000803f00000040 01000000 07 00004040"),
  "raw-within/0": hex("0000803f00000040"),
  "raw-within/1": hex("01000000 07 00004040"),
};

const slicesOf = (input, of, picked = range(of)) =>
  picked.map((index) => ({ index, count: of, payload: encodeBundle({ ...input, index, count: of }) }));

/** Which slices of how many come, and what conceals the rest. */
const received = [
  ["whole", { ...mixed, codec: quantized }, 1, [0], "zero"],
  ["entropy-in-another-order", { ...mixed, codec: coded }, 5, [3, 1, 4, 0, 2], "zero"],
  [
    "a-tensor-missing",
    { ...mixed, codec: quantized },
    35,
    [...range(18), ...range(12).map((i) => 23 + i)],
    "channel-mean",
  ],
  ["whole-numbers-are-0", { ...mixed, codec: quantized }, 35, [...range(20), 30], "channel-mean"],
  [
    "by-its-own-neighbours",
    { ...mixed, codec: quantized },
    35,
    range(35).filter((i) => i % 4 !== 1),
    "spatial",
  ],
  ["auto", { ...floats, codec: quantized }, 13, range(13).filter((i) => i % 3 !== 1), "auto"],
  ["entropy", { ...floats, codec: coded }, 4, [0, 2], "zero"],
  ["bytes-of-others", { ...halves, codec: quantized }, 4, [0, 3], "channel-mean"],
];

const [first] = slicesOf({ ...small, codec: "raw" }, 1);
const refused = [
  [
    "length-past-the-end",
    { ...small, codec: "raw" },
    [
      { ...first, payload: hex("ff000000 0000803f00000040 01000000 07 00004040") },
      ...slicesOf({ ...small, codec: "raw" }, 4, [0]),
    ],
  ],
  [
    "no-room-for-a-length",
    { ...small, codec: "raw" },
    [
      { ...first, payload: hex("08000000 0000803f00000040 0100") },
      ...slicesOf({ ...small, codec: "raw" }, 4, [0]),
    ],
  ],
  [
    "a-tensor-too-short",
    { ...small, codec: "raw" },
    [{ ...first, payload: hex("07000000 0000803f000000 01000000 07 00004040") }],
  ],
  [
    "the-last-too-long",
    { ...small, codec: "raw" },
    [{ ...first, payload: hex("08000000 0000803f00000040 01000000 07 0000404000") }],
  ],
].map(([name, input, slices]) => [name, { ...input, concealment: "zero", slices }]);

const unfit = [
  ["quantize-by-channel", { ...floats, codec: "quantize:levels=32,clip=6,per=channel" }, "unknownCodec"],
  ["sluice", { ...floats, codec: "sluice:quality=50,layers=3,memory=0,motion=0" }, "unknownCodec"],
  ["concealment-by-statistics", { ...floats, codec: "raw", concealment: "hybrid" }, "statisticsMismatch"],
];

export const cases = [
  ...wholes.flatMap(([name, input, of]) =>
    range(of).map((index) => {
      const asked = { ...input, index, count: of };
      const written = byHand[`${name}/${index}`];
      return {
        ...{
          id: `bundles/encode/${name}/${index}`,
          shows: ["sluice/6.14/3", "sluice/6.14/4"],
          op: "codec.encode",
        },
        ...{ input: asked, output: { payload: written ?? encodeBundle(asked) } },
        ...(written ? { check: { payload: encodeBundle(asked) } } : {}),
      };
    }),
  ),
  ...received.map(([name, whole, of, picked, concealment]) => {
    const input = { ...whole, concealment, slices: slicesOf(whole, of, picked) };
    const { data: _, ...asked } = input;
    return {
      ...{ id: `bundles/receive/${name}`, shows: ["sluice/6.14/3", "sluice/6.14/4"], op: "tensor.receive" },
      ...{ input: asked, output: receiveBundle(asked) },
    };
  }),
  ...refused.map(([name, { data: _, ...input }]) => ({
    ...{ id: `bundles/refuse/${name}`, shows: ["sluice/6.14/5"], op: "tensor.receive" },
    ...{ input, output: receiveBundle(input) },
  })),
  ...unfit.map(([name, { data: _, ...input }, error]) => ({
    ...{ id: `bundles/unfit/${name}`, shows: ["sluice/6.14/3"], op: "tensor.receive" },
    input: { concealment: "zero", ...input, slices: [{ index: 0, count: 1, payload: "00" }] },
    error,
  })),
];
