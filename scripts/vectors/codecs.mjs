// Codecs (spec 6.1 to 6.3): texts, payloads, decoded tensors. Payloads of the core cases are written by hand.
import { hex } from "./hex-text.mjs";
import { elements, encodeSlice, pack, receive } from "./naive-codec.mjs";
import { sluiceReceived } from "./sluice-cases.mjs";
import { sluiceMotion } from "./sluice-motion-cases.mjs";
import { twoChannels, withoutRange } from "./statistics.mjs";

export const about = "Codec texts, encoded slices, and tensors decoded from any of their slices.";

const parsed = [
  ["raw", "raw"],
  ["quantize", "quantize:levels=32,clip=6,per=tensor"],
  ["quantize:levels=7", "quantize:levels=7,clip=6,per=tensor"],
  [" quantize : per = channel , levels = 16 ", "quantize:levels=16,clip=6,per=channel"],
  ["quantize:levels=65536,clip=0.5,per=tensor", "quantize:levels=65536,clip=0.5,per=tensor"],
  ["quantize:levels=2,clip=100", "quantize:levels=2,clip=100,per=tensor"],
  ["quantize:clip=3.250", "quantize:levels=32,clip=3.25,per=tensor"],
  ["sluice", "sluice:quality=50,layers=3,memory=0,motion=0"],
  ["sluice:memory=16,layers=8,quality=100", "sluice:quality=100,layers=8,memory=16,motion=0"],
  ["sluice:motion=15,memory=1", "sluice:quality=50,layers=3,memory=1,motion=15"],
];
const unread = [
  "",
  "zip",
  "Raw",
  "raw|raw",
  "raw:",
  "raw:levels=7",
  "quantize:",
  "quantize:levels",
  "quantize:levels=1",
  "quantize:levels=65537",
  "quantize:levels=2.5",
  "quantize:levels=0x10",
  "quantize:levels=",
  "quantize:clip=0.49",
  "quantize:clip=100.1",
  "quantize:clip=1e1",
  "quantize:clip=-1",
  "quantize:clip=1.0123456789",
  "quantize:per=row",
  "quantize:depth=7",
  "quantize:levels=7,levels=7",
  "quantize:levels=7,",
  "sluice:quality=101",
  "sluice:layers=0",
  "sluice:layers=9",
  "sluice:memory=17",
  "sluice:motion=16",
  "sluice|raw",
  `raw${" ".repeat(254)}`,
];

const any = (dtype, ...shape) => ({ dtype, shape, layout: "any" });
const q = (levels, per = "tensor", clip = 3) => `quantize:levels=${levels},clip=${clip},per=${per}`;
const zero = { concealment: "zero" };
const f32 = (...values) => elements("float32", values);

const raws = [
  ["float32", any("float32", 3), hex("0000803f 000080bf 00002041"), "1, -1, 10"],
  [
    "float32-all-bit-patterns",
    any("float32", 6),
    hex("0100a07f 0000c07f 0000807f 000080ff 01000000 00000080"),
    "A signalling NaN, a quiet one, both infinities, the smallest number, -0.",
  ],
  ["float16", any("float16", 4), hex("003c 00bc ff7b 017c"), "1, -1, 65,504, a signalling NaN"],
  ["uint8", any("uint8", 4), hex("00 7f 80 ff")],
  ["int8", any("int8", 4), hex("00 7f 80 ff")],
  ["int32", any("int32", 3), hex("ffffffff 00000080 ffffff7f")],
  ["scalar", any("float32"), hex("0000803f"), "An empty shape is one element."],
];

const rawBytes = hex("00 01 02 03 04 05 06 07 08 09");
const rawSpec = any("uint8", 10);
const part = (index, count, first, end) => ({ index, count, payload: rawBytes.slice(2 * first, 2 * end) });

const rawParts = [
  ["three-slices-in-another-order", [part(2, 3, 6, 10), part(0, 3, 0, 3), part(1, 3, 3, 6)]],
  ["middle-missing", [part(0, 3, 0, 3), part(2, 3, 6, 10)]],
  [
    "slices-of-different-counts",
    [part(0, 2, 0, 5), part(3, 4, 7, 10)],
    "Halves and quarters of 10 elements.",
  ],
  [
    "overlap",
    [part(0, 1, 0, 10), { index: 1, count: 2, payload: hex("f5 f6 f7 f8 f9") }],
    "The one that is decoded later wins.",
  ],
  ["one-element-a-slice", [part(9, 10, 9, 10)]],
  [
    "too-short",
    [part(0, 2, 0, 5), { index: 1, count: 2, payload: hex("aa bb cc dd") }],
    "",
    ["sluice/6.1/1"],
  ],
  [
    "too-long",
    [part(0, 2, 0, 5), { index: 1, count: 2, payload: hex("aa bb cc dd ee ff") }],
    "",
    ["sluice/6.1/1"],
  ],
];

const seven = any("float32", 8);
const examplePayload = hex("00000000 0000003f 9b370c");
const received = [
  ...raws.map(([name, spec, data, note]) => ({
    ...{ name: `raw/${name}`, shows: ["sluice/6.1/1"], note },
    input: { spec, codec: "raw", ...zero, slices: [{ index: 0, count: 1, payload: data }] },
    byHand: { refused: [], missing: [], data },
  })),
  ...rawParts.map(([name, slices, note, shows = []]) => ({
    ...{ name: `raw/${name}`, shows: ["sluice/6.3/1", ...shows], note },
    input: { spec: rawSpec, codec: "raw", ...zero, slices },
  })),
  {
    ...{ name: "quantize/spec-example", shows: ["sluice/6.2/2", "sluice/6.2/3"] },
    input: { spec: seven, codec: q(7), ...zero, slices: [{ index: 0, count: 1, payload: examplePayload }] },
    byHand: { refused: [], missing: [], data: f32(0, 0.5, 1, 1.5, 2, 2.5, 3, 0) },
  },
  {
    ...{ name: "quantize/padding-is-ignored", shows: ["sluice/6.2/4"], note: "The 24th bit is 1." },
    input: {
      spec: seven,
      codec: q(7),
      ...zero,
      slices: [{ index: 0, count: 1, payload: hex("00000000 0000003f 9b378c") }],
    },
    byHand: { refused: [], missing: [], data: f32(0, 0.5, 1, 1.5, 2, 2.5, 3, 0) },
  },
  {
    ...{ name: "quantize/last-symbol-too-large", shows: ["sluice/6.2/4"] },
    note: "All 23 bits are 1, so 8,388,607: its eighth digit to the base 7 is 10 and taken as 6.",
    input: {
      spec: seven,
      codec: q(7),
      ...zero,
      slices: [{ index: 0, count: 1, payload: hex("00000000 0000003f ffff7f") }],
    },
  },
  {
    ...{
      name: "quantize/bits-of-two-levels",
      shows: ["sluice/6.2/3"],
      note: "Bits least significant first: 1 0 1 1 0 0 0 1, 1.",
    },
    input: {
      spec: any("float32", 9),
      codec: q(2),
      ...zero,
      slices: [{ index: 0, count: 1, payload: hex("0000803f 00000040 8d 01") }],
    },
    byHand: { refused: [], missing: [], data: f32(3, 1, 3, 3, 1, 1, 1, 3, 3) },
  },
  {
    ...{ name: "quantize/step-zero", shows: ["sluice/6.2/2"] },
    input: {
      spec: any("float32", 2),
      codec: q(16),
      ...zero,
      slices: [{ index: 0, count: 1, payload: hex("00002041 00000000 f0") }],
    },
    byHand: { refused: [], missing: [], data: f32(10, 10) },
  },
  ...[3, 5, 10, 16, 32, 255, 257, 65536].map((levels) => {
    const n = 70;
    const symbols = Array.from({ length: n }, (_, i) => (i * 7919 + levels) % levels);
    const payload = (first, end) => hex("000080bf 0000003e") + pack(levels, symbols.slice(first, end));
    return {
      ...{
        name: `quantize/${levels}-levels-in-two-slices`,
        shows: ["sluice/6.2/2", "sluice/6.2/3", "sluice/6.3/1"],
      },
      input: {
        ...{ spec: any("float32", n), codec: q(levels), ...zero },
        slices: [
          { index: 0, count: 2, payload: payload(0, 35) },
          { index: 1, count: 2, payload: payload(35, 70) },
        ],
      },
    };
  }),
  ...[
    ["low-nan", "0000c07f 0000003f"],
    ["low-infinite", "0000807f 0000003f"],
    ["step-negative", "00000000 000000bf"],
    ["step-nan", "00000000 0000c07f"],
    ["top-beyond-float32", "ffff7f7f ffff7f7f"],
  ].map(([name, head]) => ({
    ...{ name: `quantize/refuse/${name}`, shows: ["sluice/6.2/5", "sluice/6.3/1"] },
    input: {
      ...{ spec: seven, codec: q(16), ...zero },
      slices: [
        { index: 0, count: 2, payload: hex(`${head} 1032`) },
        { index: 1, count: 2, payload: hex("00000000 0000003f 5476") },
      ],
    },
    byHand: { refused: [0], missing: [[0, 4]], data: f32(0, 0, 0, 0, 2, 2.5, 3, 3.5) },
  })),
  ...[
    ["too-short", "00000000 0000003f 10"],
    ["too-long", "00000000 0000003f 103254"],
    ["without-parameters", "1032"],
  ].map(([name, payload]) => ({
    ...{ name: `quantize/refuse/${name}`, shows: ["sluice/6.2/3"] },
    input: {
      ...{ spec: seven, codec: q(16), ...zero },
      slices: [
        { index: 0, count: 2, payload: hex(payload) },
        { index: 1, count: 2, payload: hex("00000000 0000003f 5476") },
      ],
    },
    byHand: { refused: [0], missing: [[0, 4]], data: f32(0, 0, 0, 0, 2, 2.5, 3, 3.5) },
  })),
  {
    ...{
      name: "quantize/uint8",
      shows: ["sluice/6.2/2"],
      note: "-1, -0.5, 0, 0.5, 1, 1.5: halves upwards, then clamped.",
    },
    input: {
      spec: any("uint8", 6),
      codec: q(16),
      ...zero,
      slices: [{ index: 0, count: 1, payload: hex("000080bf 0000003f 103254") }],
    },
    byHand: { refused: [], missing: [], data: hex("00 00 00 01 01 02") },
  },
  {
    ...{ name: "quantize/int8", shows: ["sluice/6.2/2"], note: "-1.5, -1, -0.5, 0, 0.5, 1" },
    input: {
      spec: any("int8", 6),
      codec: q(16),
      ...zero,
      slices: [{ index: 0, count: 1, payload: hex("0000c0bf 0000003f 103254") }],
    },
    byHand: { refused: [], missing: [], data: hex("ff ff 00 00 01 01") },
  },
  {
    ...{ name: "quantize/clamped", shows: ["sluice/6.2/2"], note: "-200, 0, 200" },
    input: {
      spec: any("int8", 3),
      codec: q(3),
      ...zero,
      slices: [{ index: 0, count: 1, payload: hex("000048c3 00004843") + pack(3, [0, 1, 2]) }],
    },
    byHand: { refused: [], missing: [], data: hex("80 00 7f") },
  },
  {
    ...{ name: "quantize/int32-clamped", shows: ["sluice/6.2/2"], note: "-2^33, 0, 2^33" },
    input: {
      spec: any("int32", 3),
      codec: q(3),
      ...zero,
      slices: [{ index: 0, count: 1, payload: hex("000000d0 00000050") + pack(3, [0, 1, 2]) }],
    },
    byHand: { refused: [], missing: [], data: hex("00000080 00000000 ffffff7f") },
  },
  {
    ...{ name: "quantize/float16", shows: ["sluice/6.2/2"] },
    note: "2,049 lies between 2,048 and 2,050 and goes to the even pattern; 4,097 to 4,096; beyond 65,504 is clamped.",
    input: {
      ...{ spec: any("float16", 2), codec: q(2), ...zero },
      slices: [{ index: 0, count: 1, payload: hex("00100045 0000004f") + pack(2, [0, 1]) }],
    },
    byHand: { refused: [], missing: [], data: hex("0068 ff7b") },
  },
  {
    ...{ name: "quantize/per-channel-chw", shows: ["sluice/6.2/1", "sluice/6.2/3"] },
    note: "Channel 0: mean 1, deviation 0.5, so 0 to 2 with clip 2; channel 1: 10 ± 4, but not below 8: 8 to 14. Symbols 0 1 2 4 of 0 to 4.",
    input: {
      ...{ spec: { dtype: "float32", shape: [2, 1, 2], layout: "chw" }, codec: q(5, "channel", 2), ...zero },
      ...{ statistics: twoChannels, slices: [{ index: 0, count: 1, payload: pack(5, [0, 1, 2, 4]) }] },
    },
    byHand: { refused: [], missing: [], data: f32(0, 0.5, 11, 14) },
  },
  {
    ...{ name: "quantize/per-channel-without-range", shows: ["sluice/6.2/1"] },
    note: "Channel 1 is 10 ± 4 where no minimum is known; the second slice alone.",
    input: {
      ...{ spec: { dtype: "float32", shape: [2, 1, 2], layout: "chw" }, codec: q(5, "channel", 2), ...zero },
      ...{ statistics: withoutRange, slices: [{ index: 1, count: 2, payload: pack(5, [2, 4]) }] },
    },
    byHand: { refused: [], missing: [[0, 2]], data: f32(0, 0, 10, 14) },
  },
  {
    ...{ name: "quantize/per-channel-hwc", shows: ["sluice/6.2/1"] },
    input: {
      ...{ spec: { dtype: "float32", shape: [1, 2, 2], layout: "hwc" }, codec: q(5, "channel", 2), ...zero },
      ...{
        statistics: { ...twoChannels, shape: [1, 2, 2] },
        slices: [{ index: 0, count: 1, payload: pack(5, [0, 1, 2, 4]) }],
      },
    },
    byHand: { refused: [], missing: [], data: f32(0, 9.5, 1, 14) },
  },
];

const encoded = [
  ["spec-example", { spec: seven, codec: q(7), data: f32(0, 0.5, 1, 1.5, 2, 2.5, 3, 0) }, examplePayload],
  ["constant", { spec: any("float32", 2), codec: q(16), data: f32(10, 10) }, hex("00002041 00000000 00")],
  [
    "nan-and-infinities",
    {
      spec: any("float32", 6),
      codec: q(5, "tensor", 100),
      data: f32(0, 4) + hex("0000c07f 0000807f 000080ff") + f32(2),
    },
    hex("00000000 0000803f") + pack(5, [0, 4, 2, 4, 0, 2]),
    "They count for nothing in the range; NaN goes to the mean, 2.",
  ],
  ["clipped", { spec: seven, codec: q(7, "tensor", 1), data: f32(0, 0, 0, 0, 0, 0, 0, 16) }],
  ["uint8", { spec: any("uint8", 4), codec: q(16), data: hex("00 05 0a 0f") }, hex("00000000 0000803f 50fa")],
  [
    "per-channel",
    {
      ...{ spec: { dtype: "float32", shape: [2, 1, 2], layout: "chw" }, codec: q(5, "channel", 2) },
      ...{ statistics: twoChannels, data: f32(-1, 0.5, 11, 99) },
    },
    pack(5, [0, 1, 2, 4]),
  ],
];

export const cases = [
  ...parsed.map(([text, canonical]) => ({
    ...{ id: `codec/parse/${JSON.stringify(text)}`, shows: ["sluice/6.3/2"], op: "codec.parse" },
    ...{ input: { codec: text }, output: { codec: canonical } },
  })),
  ...unread.map((text) => ({
    id: `codec/refuse/${JSON.stringify(text.length > 40 ? `${text.slice(0, 3)} and ${text.length - 3} blanks` : text)}`,
    ...{ shows: ["sluice/6.3/3"], op: "codec.parse", input: { codec: text }, error: "unknownCodec" },
  })),
  ...received.map(({ name, shows, note, input, byHand }) => ({
    ...{ id: `codec/decode/${name}`, shows, op: "tensor.receive", input, output: byHand ?? receive(input) },
    ...(note ? { note } : {}),
    check: byHand ? receive(input) : undefined,
  })),
  ...sluiceReceived,
  ...sluiceMotion,
  {
    ...{ id: "codec/decode/per-channel-without-statistics", shows: ["sluice/6.3/3"], op: "tensor.receive" },
    input: {
      ...{ spec: { dtype: "float32", shape: [2, 1, 2], layout: "chw" }, codec: q(5, "channel", 2), ...zero },
      slices: [{ index: 0, count: 1, payload: pack(5, [0, 1, 2, 4]) }],
    },
    error: "unknownCodec",
  },
  {
    ...{ id: "codec/decode/count-above-units", shows: ["sluice/5.2/2"], op: "tensor.receive" },
    input: { spec: rawSpec, codec: "raw", ...zero, slices: [{ index: 0, count: 11, payload: "00" }] },
    error: "sliceOutOfRange",
  },
  {
    ...{ id: "codec/decode/nothing-decodes", shows: ["sluice/6.3/1"], op: "tensor.receive" },
    input: { spec: rawSpec, codec: "raw", ...zero, slices: [{ index: 0, count: 2, payload: "00" }] },
    error: "nothingDecodable",
  },
  ...encoded.map(([name, fields, byHand, note]) => {
    const input = { ...fields, index: 0, count: 1 };
    const payload = encodeSlice(input);
    return {
      ...{
        id: `codec/encode/${name}`,
        shows: name === "per-channel" ? ["sluice/6.2/1"] : [],
        op: "codec.encode",
      },
      ...{ input, output: { payload: byHand ?? payload }, ...(note ? { note } : {}) },
      check: byHand ? { payload } : undefined,
    };
  }),
  {
    ...{ id: "codec/encode/second-of-two-slices", shows: ["sluice/6.3/1"], op: "codec.encode" },
    input: { spec: seven, codec: q(16), data: f32(0, 1, 2, 3, 4, 5, 6, 15), index: 1, count: 2 },
    output: { payload: hex("00000000 0000803f 54f6") },
    check: {
      payload: encodeSlice({
        spec: seven,
        codec: q(16),
        data: f32(0, 1, 2, 3, 4, 5, 6, 15),
        index: 1,
        count: 2,
      }),
    },
  },
];
