// What slices hold (spec 5.8): texts, and the slices of tensors of which some come.
import { hex } from "./hex-text.mjs";
import { encodeChain, receiveChain } from "./naive-chain.mjs";
import { elements, encodeSlice, receive } from "./naive-codec.mjs";
import { encodeSluice, receiveSluice } from "./naive-sluice.mjs";
import { pictureInput, someCoefficient } from "./sluice-cases.mjs";
import { twoChannels } from "./statistics.mjs";

export const about = "Interleavings: their texts, encoded slices, and tensors decoded from some of them.";

const all = (length, make) => Array.from({ length }, (_, i) => make(i));

const parsed = [
  ["", ""],
  ["contiguous", ""],
  ["channel-strided", "channel-strided"],
  [" checkerboard ", "checkerboard"],
  ["pseudo-random", "pseudo-random:seed=1"],
  ["pseudo-random : seed = 042", "pseudo-random:seed=42"],
  ["pseudo-random:seed=0", "pseudo-random:seed=0"],
  ["pseudo-random:seed=999999999", "pseudo-random:seed=999999999"],
];
const unread = [
  "x-nobody-knows",
  "Checkerboard",
  "contiguous:",
  "checkerboard:seed=1",
  "channel-strided:n=2",
  "pseudo-random:",
  "pseudo-random:seed",
  "pseudo-random:seed=",
  "pseudo-random:seed=-1",
  "pseudo-random:seed=1.5",
  "pseudo-random:seed=1000000000",
  "pseudo-random:seed=1,seed=1",
  "pseudo-random:offset=1",
  `pseudo-random:seed=${" ".repeat(64)}1`,
];

const chw = (dtype, ...shape) => ({ dtype, shape, layout: "chw" });
const hwc = (dtype, ...shape) => ({ dtype, shape, layout: "hwc" });
const any = (dtype, ...shape) => ({ dtype, shape, layout: "any" });
const orders = ["channel-strided", "checkerboard", "pseudo-random:seed=7"];

/** Bytes that count the elements show where each of them goes. */
const counted = [
  ["a-plane", chw("uint8", 1, 4, 4)],
  ["odd-sizes", chw("uint8", 5, 3, 6)],
  ["channels-last", hwc("uint8", 3, 5, 4)],
  ["one-row", any("uint8", 11)],
  ["no-layout", any("uint8", 3, 4, 5)],
  ["one-column", chw("uint8", 2, 9, 1)],
  ["a-scalar", any("uint8")],
].flatMap(([name, spec]) =>
  orders.map((interleave) => [
    `${name}/${interleave.split(":")[0]}`,
    {
      ...{ spec, codec: "raw", interleave },
      data: elements(
        "uint8",
        all(
          spec.shape.reduce((a, b) => a * b, 1),
          (i) => i,
        ),
      ),
    },
  ]),
);
const wave = elements(
  "float32",
  all(8, (i) => Math.round(32 * Math.sin(i)) / 16),
);
const quantized = orders.map((interleave) => [
  `quantized/${interleave.split(":")[0]}`,
  { spec: chw("float32", 2, 2, 2), codec: "quantize:levels=7,clip=3,per=tensor", interleave, data: wave },
]);
const byChannel = orders.map((interleave) => [
  `by-channel/${interleave.split(":")[0]}`,
  {
    ...{ spec: chw("float32", ...twoChannels.shape), codec: "quantize:levels=16,clip=3,per=channel" },
    ...{ statistics: twoChannels, interleave },
    data: elements(
      "float32",
      all(
        twoChannels.shape.reduce((a, b) => a * b),
        (i) => (i % 5) - 1,
      ),
    ),
  },
]);
const byElements = [...counted, ...quantized, ...byChannel];

const chained = ["channel-strided", "pseudo-random:seed=3", "checkerboard"].flatMap((interleave) =>
  [chw("uint8", 3, 4, 5), hwc("uint8", 4, 5, 3)].map((spec) => [
    `entropy/${interleave.split(":")[0]}/${spec.layout}`,
    {
      ...{ spec, codec: "integers | entropy", interleave },
      data: elements(
        "uint8",
        all(60, (i) => (i * i) % 23),
      ),
    },
  ]),
);

const sluice = ["checkerboard", "pseudo-random:seed=5"].map((interleave) => {
  const input = { ...pictureInput("sluice:quality=50,layers=3"), interleave };
  const slices = all(5, (index) => ({
    ...{ index, count: 5, payload: encodeSluice(input, 50, index, 5, someCoefficient) },
  }));
  return [`sluice/${interleave.split(":")[0]}`, { ...input, slices: slices.filter((_, i) => i !== 1) }];
});

/** Of so many slices those that came. */
const some = (input, encode, of) => ({
  ...Object.fromEntries(Object.entries(input).filter(([name]) => name !== "data")),
  concealment: "zero",
  slices: all(of, (index) => index)
    .filter((index) => of === 1 || index % 3 !== 1)
    .map((index) => ({ index, count: of, payload: encode({ ...input, index, count: of }) })),
});
const partsOf = ({ spec }) => (spec.shape.length === 0 ? 1 : 4);

const unfit = [
  [
    "blocks-of-all-channels",
    { ...pictureInput("sluice:quality=50,layers=3"), interleave: "channel-strided" },
  ],
  ["half-of-odd-rows", { spec: chw("uint8", 2, 3, 4), codec: "integers | entropy" }],
  ["planes-of-channels", { spec: chw("uint8", 2, 8, 8), codec: "integers | tile | jpeg" }],
  ["too-large", { spec: any("uint8", 1025, 1024), codec: "raw" }],
].map(([name, input]) => [name, { interleave: "checkerboard", concealment: "zero", ...input }]);

const shows = ["sluice/5.8/1", "sluice/5.8/9"];

export const cases = [
  ...parsed.map(([text, canonical]) => ({
    ...{ id: `interleaving/parse/${JSON.stringify(text)}`, shows: ["sluice/5.8/9"], op: "interleave.parse" },
    ...{ input: { interleave: text }, output: { interleave: canonical } },
  })),
  ...unread.map((text) => ({
    ...{ id: `interleaving/refuse/${JSON.stringify(text)}`, shows: ["sluice/5.8/1"], op: "interleave.parse" },
    ...{ input: { interleave: text }, error: "unknownInterleaving" },
  })),
  ...unfit.map(([name, input]) => ({
    ...{ id: `interleaving/unfit/${name}`, shows, op: "tensor.receive" },
    input: { ...input, slices: [{ index: 0, count: 1, payload: "00" }] },
    error: "unknownInterleaving",
  })),
  ...byElements.map(([name, input]) => {
    const asked = { ...input, index: 0, count: partsOf(input) };
    return {
      ...{ id: `interleaving/encode/${name}`, shows: ["sluice/5.8/9"], op: "codec.encode" },
      ...{ input: asked, output: { payload: hex(encodeSlice(asked)) } },
    };
  }),
  ...byElements.map(([name, whole]) => {
    const input = some(whole, encodeSlice, partsOf(whole));
    return {
      ...{ id: `interleaving/decode/${name}`, shows: ["sluice/5.8/9"], op: "tensor.receive" },
      ...{ input, output: receive(input) },
    };
  }),
  ...chained.map(([name, whole]) => {
    const input = some(whole, encodeChain, 4);
    return {
      ...{ id: `interleaving/decode/${name}`, shows: ["sluice/5.8/9"], op: "tensor.receive" },
      ...{ input, output: receiveChain(input) },
    };
  }),
  ...sluice.map(([name, input]) => ({
    ...{ id: `interleaving/decode/${name}`, shows: ["sluice/5.8/9"], op: "tensor.receive" },
    ...{ input, output: receiveSluice(input) },
  })),
];
