// Cases of frames that are predicted from others (spec 6.11, Prediction and Vectors). Elements are bytes, so that the last bit of
// the last transform does not show.
import { elements } from "./naive-codec.mjs";
import { encodeSluice, receiveSluice } from "./naive-sluice.mjs";

const base64 = (dtype, values) => Buffer.from(elements(dtype, values), "hex").toString("base64");
const f32 = (values) => base64("float32", values);
const u8 = (values) => base64("uint8", values);
const i8 = (values) => base64("int8", values);

/** Two channels of 5 x 9 positions in 15 blocks of 2 x 2, those at the edges cut off. */
const picture = {
  ...{ version: 2, cut: "cut", samples: 1 },
  ...{ channelMean: f32([120, 90]), channelDeviation: f32([20, 20]) },
  ...{ channelMinimum: f32([0, 10]), channelMaximum: f32([250, 220]) },
  ...{ meanElementDtype: "float32", meanElement: f32(Array.from({ length: 90 }, (_, i) => 90 + (i % 7))) },
  ...{ block: [2, 2], matrixOfBand: u8([0, 1, 1, 1]) },
  ...{ matrices: i8([127, 64, -100, 127, 127, 0, 10, -127]), gains: f32([0.25, 0.125, 0.0625, 0.05]) },
  ...{ scales: u8([120, 90, 80, 70, 100, 70, 64, 60]), coarseScales: u8([104, 80, 70, 60, 90, 50, 60, 50]) },
};
const unmixed = { ...picture, matrices: "", gains: f32([8, 6, 4, 3]) };

const inputOf = (codec, { layout = "chw", statistics = picture } = {}) => {
  const shape = layout === "chw" ? [2, 5, 9] : [5, 9, 2];
  return {
    ...{ spec: { dtype: "uint8", shape, layout }, codec, concealment: "zero" },
    statistics: { ...statistics, shape },
  };
};

/** Some coefficients for a unit and place: first what is large, then what is left of it. */
const first = (unit, at) => [30, -11, 0, 4, -2, 0, -40, 1, 9, 17, -5][(unit * 7 + at * 5) % 11];
const rest = (unit, at) => [0, 1, 0, 0, -1, 0, 0, 2, 0][(unit * 4 + at * 5) % 9];
const mixedModes = (unit) => [1, 3, 0, 2, 3, 1, 2][(unit * 3) % 7];

function slices(input, count, coefficientOf, predicted) {
  return Array.from({ length: count }, (_, index) => ({
    ...{ index, count, payload: encodeSluice(input, 50, index, count, coefficientOf, predicted) },
  }));
}

/** A frame, and one that is predicted from it. */
function two(codec, predicted, { count = 1, distance = 1, ...options } = {}) {
  const input = inputOf(codec, options);
  const own = slices(input, count, rest, { distance, modeOf: mixedModes, vectorClass: 0, ...predicted });
  return {
    ...input,
    before: [{ frame: 7, slices: slices(input, 1, first) }],
    frame: 7 + distance,
    slices: own,
  };
}

const moving = "sluice:quality=50,layers=2,memory=4,motion=3";
const still = "sluice:quality=50,layers=2,memory=4";
const everywhere = (dy, dx) => ({ vectorClass: 2, modeOf: () => 3, vectorOf: () => [dy, dx] });
const various = (block) => [((block * 5) % 11) - 4, ((block * 13) % 17) - 9];
const variousFrom = (modeOf, vectorClass = 4) => ({ vectorClass, modeOf, vectorOf: various });

function chained() {
  const input = inputOf(moving);
  const next = (distance, vectorOf) =>
    slices(input, 2, rest, { distance, modeOf: mixedModes, vectorClass: 5, vectorOf });
  return {
    ...input,
    before: [
      { frame: 2, slices: slices(input, 3, first) },
      { frame: 4, slices: next(2, various) },
      { frame: 5, slices: next(1, (block) => [3 - (block % 5), 24]) },
    ],
    frame: 6,
    slices: next(1, (block) => [-24, (block % 7) - 3]),
  };
}

const cases = [
  ["modes", two(still, {}), "Modes 0 to 3, without vectors."],
  ["modes-in-slices", two(still, {}, { count: 4, distance: 4 })],
  ["vector-of-0", two(moving, everywhere(0, 0)), "As without vectors."],
  ["whole-vectors", two(moving, everywhere(-16, 8)), "Two rows further up, one column further right."],
  ["halves", two(moving, everywhere(4, -12))],
  ["beyond-the-edges", two(moving, everywhere(24, -24)), "What is nearest within the tensor."],
  [
    "eighths",
    two(
      moving,
      variousFrom(() => 3),
    ),
  ],
  [
    "vectors-and-modes",
    two(moving, variousFrom(mixedModes)),
    "Blocks of which all units are intra have none.",
  ],
  [
    "vectors-in-slices",
    two(moving, variousFrom(mixedModes, 3), { count: 7 }),
    "Each expects by its own vectors.",
  ],
  ...[1, 7].map((vectorClass) => [
    `vectors-of-class-${vectorClass}`,
    two(
      moving,
      variousFrom(() => 3, vectorClass),
    ),
  ]),
  ["vectors-hwc", two(moving, variousFrom(mixedModes), { layout: "hwc" })],
  ["vectors-unmixed", two(moving, variousFrom(mixedModes), { statistics: unmixed })],
  ["vectors-on-vectors", chained()],
].map(([name, input, note]) => ({
  ...{ name, input, note },
  shows: name.includes("modes") ? ["sluice/6.11/5"] : ["sluice/6.11/6"],
}));

const far = (y, x) => two(moving, { ...everywhere(y, x), vectorClass: 7 });
const withHead = (input, change) => ({
  ...input,
  slices: input.slices.map((slice) => ({ ...slice, payload: change(slice.payload) })),
});
const lacking = (input) => ({
  ...input,
  before: [{ frame: 7, slices: slices(input, 2, first).slice(1) }],
});
const alsoOwn = (input) => ({ ...input, slices: [...slices(input, 2, first).slice(0, 1), ...input.slices] });

const bad = [
  ["reference-incomplete", lacking(two(still, {})), "sluice/6.11/5"],
  ["another-frame", { ...two(still, {}), frame: 9 }, "sluice/6.11/5"],
  ["distance-0", withHead(two(still, {}), (hex) => `${hex.slice(0, 2)}00${hex.slice(4)}`), "sluice/6.11/5"],
  ["beyond-memory", two("sluice:quality=50,layers=2,memory=2", {}, { distance: 3 }), "sluice/6.11/5"],
  ["modes-cut-off", withHead(two(still, {}), (hex) => hex.slice(0, 10)), "sluice/6.11/2"],
  ["vectors-without-motion", two(still, everywhere(0, 8)), "sluice/6.11/7"],
  ["vector-25-down", far(25, 0), "sluice/6.11/7"],
  ["vector-25-left", far(0, -25), "sluice/6.11/7"],
].map(([name, input, shows]) => ({ name: `refuse/${name}`, input: alsoOwn(input), shows: [shows] }));

export const sluiceMotion = [...cases, ...bad].map(({ name, input, shows, note }) => ({
  ...{ id: `codec/decode/sluice/prediction/${name}`, shows, op: "tensor.receive", input },
  output: receiveSluice(input),
  ...(note ? { note } : {}),
}));
