// Chains of stages (spec 6.6 to 6.10): texts, payloads of `entropy`, tensors decoded from planes.
import { hex } from "./hex-text.mjs";
import { encodeChain, encodeTransformed, receiveChain } from "./naive-chain.mjs";
import { elements } from "./naive-codec.mjs";
import { recorded } from "./recorded-planes.mjs";

export const about = "Chains of stages: texts, encoded slices, and tensors decoded from them.";

const parsed = [
  ["integers", "integers"],
  ["quantize:levels=8,clip=3|entropy", "quantize:levels=8,clip=3,per=tensor | entropy"],
  [
    "quantize:levels=8,clip=3 | tile | jpeg:quality=40",
    "quantize:levels=8,clip=3,per=tensor | tile:shape=square,layout=auto | jpeg:quality=40",
  ],
  [
    " integers |tile:layout=hwc , shape=wide| jpeg ",
    "integers | tile:shape=wide,layout=hwc | jpeg:quality=60",
  ],
  ["transform|raw", "transform:block=4 | raw"],
  [
    "transform:block=8 | quantize:levels=24 | entropy",
    "transform:block=8 | quantize:levels=24,clip=6,per=tensor | entropy",
  ],
  ["integers|predict", "integers | predict:memory=8"],
  ["integers | predict:memory=16 | entropy", "integers | predict:memory=16 | entropy"],
  ["integers|tile|jpeg2000", "integers | tile:shape=square,layout=auto | jpeg2000:ratio=8,decompositions=1"],
  [
    "integers|tile|jpeg2000:decompositions=0,ratio=12.50",
    "integers | tile:shape=square,layout=auto | jpeg2000:ratio=12.5,decompositions=0",
  ],
  ["integers|tile|htj2k", "integers | tile:shape=square,layout=auto | htj2k:step=0.02,decompositions=1"],
  [
    "integers|tile|htj2k:step=0.500,decompositions=5",
    "integers | tile:shape=square,layout=auto | htj2k:step=0.5,decompositions=5",
  ],
];

const unread = [
  "|",
  "raw|",
  "quantize | raw",
  "raw | entropy",
  "entropy",
  "tile | jpeg",
  "quantize | jpeg",
  "quantize | tile",
  "quantize | tile | entropy",
  "quantize | tile | jpeg | jpeg",
  "quantize | quantize",
  "integers:levels=8",
  "quantize | entropy:levels=8",
  "transform:block=1 | raw",
  "transform:block=9 | raw",
  "transform",
  "transform | integers | transform",
  "quantize | predict:memory=0",
  "quantize | predict:memory=17",
  "quantize | tile:shape=round | jpeg",
  "quantize | tile:layout=any | jpeg",
  "quantize | tile | jpeg:quality=0",
  "quantize | tile | jpeg:quality=101",
  "quantize | tile | jpeg:quality=9.5",
  "quantize | tile | jpeg2000:ratio=0.5",
  "quantize | tile | jpeg2000:decompositions=6",
  "quantize | tile | htj2k:step=0.0009",
  "quantize | tile | htj2k:step=0.6",
  "quantize | tile | htj2k:ratio=8",
];

const unfit = [
  ["levels-above-tile", "quantize:levels=257 | tile | jpeg", { dtype: "float32", shape: [4], layout: "any" }],
  ["levels-above-entropy", "quantize:levels=257 | entropy", { dtype: "float32", shape: [4], layout: "any" }],
  ["integers-of-float32", "integers | entropy", { dtype: "float32", shape: [4], layout: "any" }],
  ["integers-of-int32", "integers | entropy", { dtype: "int32", shape: [4], layout: "any" }],
  [
    "layout-not-the-tensors",
    "integers | tile:layout=hwc | jpeg",
    { dtype: "uint8", shape: [1, 2, 2], layout: "chw" },
  ],
  [
    "layout-of-two-axes",
    "integers | tile:layout=chw | jpeg",
    { dtype: "uint8", shape: [2, 2], layout: "any" },
  ],
];

const numbers = (length, make) => Array.from({ length }, (_, i) => make(i));
const bytes = (...values) => elements("uint8", values);
const chw = (dtype, ...shape) => ({ dtype, shape, layout: "chw" });

/** What is encoded by `entropy`; decoded again it is a case, too. */
const coded = [
  [
    "spec-example",
    {
      spec: { dtype: "uint8", shape: [4], layout: "any" },
      codec: "integers | entropy",
      data: bytes(3, 3, 2, 3),
    },
  ],
  [
    "one-element",
    { spec: { dtype: "uint8", shape: [], layout: "any" }, codec: "integers | entropy", data: bytes(128) },
  ],
  [
    "channels",
    {
      spec: chw("uint8", 2, 4, 4),
      codec: "integers | entropy",
      data: bytes(...numbers(32, (i) => (i * i) % 23)),
    },
  ],
  [
    "hwc",
    {
      ...{ spec: { dtype: "uint8", shape: [4, 5, 3], layout: "hwc" }, codec: "integers | entropy" },
      data: bytes(...numbers(60, (i) => 40 * (i % 3) + ((i * i) % 7))),
    },
  ],
  [
    "int8-one-column",
    {
      ...{ spec: chw("int8", 2, 9, 1), codec: "integers | entropy" },
      data: elements(
        "int8",
        numbers(18, (i) => ((i * 37) % 256) - 128),
      ),
    },
  ],
  ...[2, 3, 7, 8, 9, 16, 200, 256].map((levels) => [
    `${levels}-levels`,
    {
      ...{ spec: chw("float32", 2, 7, 9), codec: `quantize:levels=${levels},clip=2,per=tensor | entropy` },
      data: elements(
        "float32",
        numbers(126, (i) => Math.round(32 * (Math.sin(i / 4) + Math.cos(i / 9)) + ((i * 5) % 7)) / 16),
      ),
    },
  ]),
  [
    "constant",
    {
      spec: chw("float32", 1, 2, 3),
      codec: "quantize:levels=16,clip=3,per=tensor | entropy",
      data: elements(
        "float32",
        numbers(6, () => 10),
      ),
    },
  ],
];

const sliced = (input, of) =>
  numbers(of, (index) => ({ index, count: of, payload: encodeChain({ ...input, index, count: of }) }));

const entropyDecoded = coded.map(([name, input]) => {
  const { spec, codec } = input;
  const of = spec.shape.length === 3 ? 3 : 1;
  return [`entropy/${name}`, { spec, codec, concealment: "zero", slices: sliced(input, of) }];
});

/** Coefficients of blocks, the first of each large, in slices of whole blocks. */
function transformed(block, spec, of = 1, order = {}) {
  const codec = `transform:block=${block} | quantize:levels=64,clip=100,per=tensor | entropy`;
  const length = spec.shape.reduce((product, size) => product * size, 1);
  const symbols = numbers(length, (i) => (i % block ** 2 === 0 ? 30 + (i % 23) : 20 + ((i * 5) % 3)));
  const common = { spec, codec, ...order, low: -160, step: 8, symbols };
  return {
    ...{ spec, codec, ...order, concealment: "zero" },
    slices: numbers(of, (index) => ({
      ...{ index, count: of, payload: encodeTransformed({ ...common, index, count: of }) },
    })),
  };
}

const transforms = [
  ["whole-blocks", transformed(4, chw("uint8", 2, 8, 8), 3)],
  ["cut-off-blocks", transformed(4, chw("uint8", 2, 5, 7), 5)],
  ["hwc", transformed(3, { dtype: "int8", shape: [4, 6, 2], layout: "hwc" })],
  ["rows", transformed(8, { dtype: "uint8", shape: [3, 9], layout: "any" }, 2)],
  ["channels-in-another-order", transformed(4, chw("uint8", 3, 5, 7), 5, { interleave: "channel-strided" })],
  ["slices-missing", { ...transformed(2, chw("uint8", 2, 4, 6), 4) }],
].map(([name, input]) => [
  name,
  name === "slices-missing" ? { ...input, slices: input.slices.filter((_, i) => i % 2 === 1) } : input,
]);

/** Frames of a stream, each with what is predicted from which; `predict` takes no notice of ranges that differ. */
function predicted(
  codec,
  { dtype = "uint8", distance = 1, memory = 4, count: of = 2, frame = 5 + distance } = {},
) {
  const spec = chw(dtype, 2, 5, 6);
  const text = `${codec} | predict:memory=${memory} | entropy`;
  const dataOf = (shift) =>
    elements(
      dtype,
      numbers(60, (i) => (i < 2 ? [0, 200][i] : 100 + ((i * 7) % 50) + shift * (i % 3))),
    );
  const slicesOf = (data, count, earlier) =>
    numbers(count, (index) => ({
      ...{ index, count, payload: encodeChain({ spec, codec: text, data, index, count }, earlier) },
    }));
  const [first, second] = [dataOf(0), dataOf(3)];
  return {
    ...{ spec, codec: text, concealment: "zero", frame },
    before: [{ frame: 5, slices: slicesOf(first, 3) }],
    slices: slicesOf(second, of, { distance, data: first }),
  };
}

const bytesFrom = (dtype) => predicted("integers", { dtype });
const predictions = [
  ["bytes", predicted("integers")],
  ["int8", { ...bytesFrom("int8") }],
  ["levels-16", predicted("quantize:levels=16,clip=8,per=tensor", { dtype: "float32", count: 3 })],
  ["levels-7", predicted("quantize:levels=7,clip=8,per=tensor", { dtype: "float32", distance: 4 })],
  ["distance-0", { ...predicted("integers"), slices: predicted("integers").before[0].slices }],
];
const refusedPredictions = [
  ["beyond-memory", predicted("integers", { distance: 4, memory: 3 })],
  ["another-frame", predicted("integers", { frame: 7 })],
  [
    "incomplete",
    (({ before: [{ frame, slices }], ...rest }) => ({
      ...rest,
      before: [{ frame, slices: slices.slice(1) }],
    }))(predicted("integers")),
  ],
].map(([name, input]) => [
  `refuse/${name}`,
  { ...input, slices: [{ ...input.before[0].slices.at(-1) }, ...input.slices] },
]);

const [, channels] = coded[2];
const [good] = sliced(channels, 1);
const broken = [
  ["too-short", good.payload.slice(0, -2)],
  ["too-long", `${good.payload}00`],
  ["empty", ""],
].map(([name, payload]) => [
  `entropy/refuse/${name}`,
  {
    ...{ spec: channels.spec, codec: channels.codec, concealment: "zero" },
    slices: [...sliced(channels, 2).slice(1), { index: 0, count: 1, payload }],
  },
]);

/**
 * A scan of blocks that are each of one value (T.81, F.1.2): the difference of the DC coefficient by table K.3, then EOB.
 * With the quality 50 the DC's step is 16, so a sample is 128 + 2 times the coefficient.
 */
function flatScan(samples) {
  const codes = ["00", "010", "011", "100", "101", "110", "1110", "11110"];
  let before = 0;
  let bits = "";
  for (const sample of samples) {
    const difference = (sample - 128) / 2 - before;
    before += difference;
    const size = difference === 0 ? 0 : Math.abs(difference).toString(2).length;
    const low = difference < 0 ? difference + 2 ** size - 1 : difference;
    const amplitude = size === 0 ? "" : low.toString(2).padStart(size, "0");
    bits += `${codes[size]}${amplitude}1010`;
  }
  bits = bits.padEnd(Math.ceil(bits.length / 8) * 8, "1");
  return bits.replace(/.{8}/g, (byte) => Number.parseInt(byte, 2).toString(16).padStart(2, "0"));
}

const flat = {
  ...{
    spec: chw("uint8", 2, 8, 8),
    codec: "integers | tile:shape=wide,layout=auto | jpeg:quality=50",
    concealment: "zero",
  },
  slices: [{ index: 0, count: 1, payload: flatScan([200, 90]) }],
};
const flatData = "c8".repeat(64) + "5a".repeat(64);

const images = recorded.map(({ name, codec, spec, slices }) => [
  `image/${name}`,
  { spec, codec, concealment: "zero", slices },
  codec.includes("2k") || codec.includes("2000") ? ["sluice/6.8/1"] : ["sluice/6.7/1"],
]);

const cut = recorded[0];
const refusedImages = [
  ["too-short", cut.slices[1].payload.slice(0, 40)],
  ["empty", ""],
].map(([name, payload]) => [
  `image/refuse/jpeg-${name}`,
  {
    ...{ spec: cut.spec, codec: cut.codec, concealment: "zero" },
    slices: [cut.slices[0], { index: 1, count: 2, payload }],
  },
  ["sluice/6.7/1"],
]);

/** Slices as the wire has them, without the planes. */
const shown = (input) => ({
  ...input,
  slices: input.slices.map(({ index, count, payload }) => ({ index, count, payload })),
});

export const cases = [
  ...parsed.map(([text, canonical]) => ({
    ...{ id: `chain/parse/${JSON.stringify(text)}`, shows: ["sluice/6.3/2"], op: "codec.parse" },
    ...{ input: { codec: text }, output: { codec: canonical } },
  })),
  ...unread.map((text) => ({
    ...{ id: `chain/refuse/${JSON.stringify(text)}`, shows: ["sluice/6.3/3"] },
    ...{ op: "codec.parse", input: { codec: text }, error: "unknownCodec" },
  })),
  ...unfit.map(([name, codec, spec]) => ({
    ...{ id: `chain/unfit/${name}`, shows: ["sluice/6.3/3"], op: "tensor.receive" },
    input: { spec, codec, concealment: "zero", slices: [{ index: 0, count: 1, payload: "00" }] },
    error: "unknownCodec",
  })),
  ...coded.map(([name, input]) => ({
    ...{ id: `chain/encode/entropy/${name}`, shows: ["sluice/6.3/1"], op: "codec.encode" },
    ...{
      input: { ...input, index: 0, count: 1 },
      output: { payload: encodeChain({ ...input, index: 0, count: 1 }) },
    },
  })),
  ...[...entropyDecoded, ...broken].map(([name, input]) => ({
    ...{ id: `chain/decode/${name}`, shows: ["sluice/6.3/1", "sluice/6.10/1"], op: "tensor.receive" },
    ...{ input, output: receiveChain(input) },
  })),
  ...[...predictions, ...refusedPredictions].map(([name, input]) => ({
    ...{ id: `chain/decode/predict/${name}`, shows: ["sluice/6.12/3"], op: "tensor.receive" },
    ...{ input, output: receiveChain(input) },
  })),
  ...["integers | predict | predict | entropy", "predict | entropy", "raw | predict"].map((codec) => ({
    ...{ id: `chain/refuse/predict/${JSON.stringify(codec)}`, shows: ["sluice/6.12/1"] },
    ...{ op: "codec.parse", input: { codec }, error: "unknownCodec" },
  })),
  ...transforms.map(([name, input]) => ({
    ...{ id: `chain/decode/transform/${name}`, shows: ["sluice/6.13/1"], op: "tensor.receive" },
    ...{ input, output: receiveChain(input) },
  })),
  {
    ...{ id: "chain/decode/transform/raw", shows: ["sluice/6.13/1"], op: "tensor.receive" },
    input: {
      ...{ spec: chw("uint8", 1, 2, 2), codec: "transform:block=2 | raw", concealment: "zero" },
      slices: [{ index: 0, count: 1, payload: elements("float32", [100, 20, -40, 0]) }],
    },
    output: { refused: [], missing: [], data: hex("28 14 50 3c") },
    note: "50 + 10 - 20, 50 - 10 - 20, 50 + 10 + 20, 50 - 10 + 20: written by hand.",
  },
  ...["transform | quantize:per=channel", "transform | quantize | tile | jpeg"].map((codec) => ({
    ...{ id: `chain/unfit/transform/${JSON.stringify(codec)}`, shows: ["sluice/6.13/2"] },
    op: "tensor.receive",
    input: {
      ...{ spec: chw("uint8", 1, 8, 8), codec, concealment: "zero" },
      slices: [{ index: 0, count: 1, payload: "00" }],
    },
    error: "unknownCodec",
  })),
  {
    ...{ id: "chain/unfit/tile-behind-predict", shows: ["sluice/6.12/1"], op: "tensor.receive" },
    input: {
      ...{ spec: chw("uint8", 1, 8, 8), codec: "integers | predict | tile | jpeg", concealment: "zero" },
      slices: [{ index: 0, count: 1, payload: "00" }],
    },
    error: "unknownCodec",
  },
  {
    ...{ id: "chain/decode/image/jpeg-flat-blocks", shows: ["sluice/6.7/1"], op: "tensor.receive" },
    note: "Two blocks, of which nothing but the DC coefficient is coded: 200 and 90, written by hand.",
    ...{ input: flat, output: { refused: [], missing: [], data: hex(flatData) } },
  },
  ...[...images, ...refusedImages].map(([name, input, shows]) => ({
    ...{ id: `chain/decode/${name}`, shows: ["sluice/6.3/1", ...shows], op: "tensor.receive" },
    ...{ input: shown(input), output: receiveChain(input) },
  })),
];
