// Cases of the codec `sluice` (spec 6.11). Elements are integers or come out even, so that the last bit of a transform does
// not show.
import { hex } from "./hex-text.mjs";
import { elements } from "./naive-codec.mjs";
import { encodeSluice, receiveSluice } from "./naive-sluice.mjs";

const base64 = (dtype, values) => Buffer.from(elements(dtype, values), "hex").toString("base64");
const f32 = (values) => base64("float32", values);
const u8 = (values) => base64("uint8", values);
const i8 = (values) => base64("int8", values);
const zero = { concealment: "zero" };

/** A row of 8 elements without a channel axis, each a block: coefficients are elements. */
const line = {
  ...{ version: 2, cut: "cut", shape: [8], samples: 1 },
  ...{ channelMean: f32([0]), channelDeviation: f32([100]) },
  ...{ meanElementDtype: "float32", meanElement: f32([0, 0, 0, 0, 0, 0, 0, 100]) },
  ...{ block: [1, 1], matrixOfBand: u8([0]), matrices: "", gains: f32([16]) },
  ...{ scales: u8([96]), coarseScales: u8([80]) },
};
const lineInput = (codec = "sluice:quality=50,layers=1", statistics = line) => ({
  ...{ spec: { dtype: "float32", shape: [8], layout: "any" }, codec, statistics, ...zero },
});

/** Two channels of 3 x 5 positions in blocks of 2 x 2, some of them cut off; components are mixed, one never is but 0. */
const picture = {
  ...{ version: 2, cut: "cut", shape: [2, 3, 5], samples: 1 },
  ...{ channelMean: f32([100, 50]), channelDeviation: f32([20, 20]) },
  ...{ channelMinimum: f32([0, 10]), channelMaximum: f32([200, 90]) },
  ...{
    meanElementDtype: "float32",
    meanElement: f32(Array.from({ length: 30 }, (_, i) => (i < 15 ? 100 : 50) + i / 8)),
  },
  ...{ block: [2, 2], matrixOfBand: u8([0, 1, 1, 1]) },
  ...{ matrices: i8([127, 64, -100, 127, 127, 0, 10, -127]), gains: f32([0.25, 0.125, 0.0625, 0.05]) },
  ...{ scales: u8([120, 90, 80, 0, 100, 70, 64, 60]), coarseScales: u8([104, 80, 70, 0, 90, 50, 60, 50]) },
};
export const pictureInput = (codec, layout = "chw", statistics = picture) => ({
  ...{ spec: { dtype: "uint8", shape: layout === "chw" ? [2, 3, 5] : [3, 5, 2], layout }, codec, ...zero },
  statistics: { ...statistics, shape: layout === "chw" ? [2, 3, 5] : [3, 5, 2] },
});
/** Some coefficients for a unit and place, of all sizes. */
export const someCoefficient = (unit, at) => [3, -1, 0, 2, 0, 0, -40, 1, 0, 17, -5][(unit * 7 + at * 5) % 11];

function slicesOf(input, quality, count, coefficientOf, only) {
  return Array.from({ length: count }, (_, index) => ({
    ...{ index, count, payload: encodeSluice(input, quality, index, count, coefficientOf) },
  })).filter(({ index }) => only === undefined || only.includes(index));
}

const l1 = lineInput();
const values = [0, 1, -1, 2, 0, -3, 16, 1];
const whole = slicesOf(l1, 50, 1, (unit) => values[unit])[0];
const reach = [0, 17, -18, 100, 65551, -32767, 5, 16];
const fine = lineInput("sluice:quality=100,layers=1");
const p3 = pictureInput("sluice:quality=50,layers=3");

const cases = [
  ["line", l1, [whole], "Elements are 16 (|n| + 1/16) and the mean element."],
  ["line-in-three-slices", l1, slicesOf(l1, 50, 3, (unit) => values[unit]).reverse()],
  ["line-middle-missing", l1, slicesOf(l1, 50, 3, (unit) => values[unit], [0, 2])],
  [
    "empty-is-all-0",
    l1,
    [{ index: 0, count: 2, payload: "" }, slicesOf(l1, 50, 2, (unit) => values[unit])[1]],
  ],
  [
    "large-magnitudes",
    l1,
    slicesOf(l1, 50, 1, (unit) => reach[unit]),
    "The last symbol of a row, with 0 to 15 bits behind.",
  ],
  [
    "rows-beyond-the-table",
    fine,
    slicesOf(fine, 100, 1, (unit) => reach[unit] % 30000),
    "Row 82: five bits are plain.",
  ],
  [
    "coarser-than-the-stream",
    l1,
    slicesOf(l1, 34, 1, (unit) => values[unit]),
    "Steps of 4, rows of the coarse scales.",
  ],
  ...[0, 26, 58, 66].map((quality) => [
    `quality-${quality}`,
    l1,
    slicesOf(l1, quality, 1, (unit) => values[unit] % 3),
  ]),
  [
    "picture",
    p3,
    slicesOf(p3, 50, 1, someCoefficient),
    "Blocks of 2 x 2, mixed channels, limited to the channels' ranges.",
  ],
  ["picture-in-slices", p3, slicesOf(p3, 50, 5, someCoefficient)],
  ["picture-coarse", p3, slicesOf(p3, 41, 2, someCoefficient)],
  ["picture-fine", p3, slicesOf(p3, 57, 2, someCoefficient)],
  ["picture-first-layer", p3, slicesOf(p3, 50, 3, someCoefficient, [0])],
  ["picture-without-first-blocks", p3, slicesOf(p3, 50, 9, someCoefficient, [1, 2, 4, 5, 6, 7, 8])],
  ...[1, 2, 8].map((layers) => {
    const input = pictureInput(`sluice:quality=50,layers=${layers}`);
    return [`picture-of-${layers}-layers`, input, slicesOf(input, 50, 2, someCoefficient)];
  }),
  [
    "picture-hwc",
    pictureInput("sluice:quality=50,layers=2", "hwc"),
    slicesOf(pictureInput("sluice:quality=50,layers=2", "hwc"), 50, 1, someCoefficient),
  ],
].map(([name, input, slices, note]) => ({
  name,
  input: { ...input, slices },
  shows: ["sluice/6.11/1", "sluice/6.11/3"],
  note,
}));

const bad = [
  ["quality-101", hex("65") + whole.payload.slice(2)],
  ["one-byte", "32"],
  ["predicted-from-nothing", `b20100${"00"}${whole.payload.slice(2)}`],
  ["state-too-small", `32007fffff${whole.payload.slice(10)}`],
  ["state-too-large", `3280${whole.payload.slice(4)}`],
  ["a-byte-short", whole.payload.slice(0, -2)],
  ["a-byte-more", `${whole.payload}00`],
  [
    "other-last-byte",
    whole.payload.slice(0, -1) + (Number.parseInt(whole.payload.slice(-1), 16) ^ 1).toString(16),
  ],
].map(([name, payload]) => ({
  ...{ name: `refuse/${name}`, shows: ["sluice/6.11/2", "sluice/6.3/1"] },
  input: { ...l1, slices: [{ index: 0, count: 1, payload }, slicesOf(l1, 50, 2, (unit) => values[unit])[1]] },
}));

export const sluiceReceived = [
  ...[...cases, ...bad].map(({ name, input, shows, note }) => ({
    ...{
      id: `codec/decode/sluice/${name}`,
      shows,
      op: "tensor.receive",
      input,
      output: receiveSluice(input),
    },
    ...(note ? { note } : {}),
  })),
  ...[
    ["without-statistics", undefined],
    ["without-a-transform", { ...line, version: 1 }],
  ].map(([name, statistics]) => ({
    ...{ id: `codec/decode/sluice/${name}`, shows: ["sluice/6.3/3"], op: "tensor.receive" },
    input: { ...l1, ...(statistics ? { statistics } : { statistics: undefined }), slices: [whole] },
    error: "unknownCodec",
  })),
];
