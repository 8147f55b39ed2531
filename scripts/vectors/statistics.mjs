// Hashes of statistics (spec 6.4). The canonical text is put together by hand.
import { createHash } from "node:crypto";
import { elements } from "./naive-codec.mjs";

export const about = "SHA-256 of statistics: the stored form in, the hash of its canonical form out.";

const base64 = (dtype, values) => Buffer.from(elements(dtype, values), "hex").toString("base64");
const f32 = (values) => base64("float32", values);

/** Two channels of two elements: CHW [2, 1, 2]. */
export const twoChannels = {
  ...{ version: 1, cut: "cut", shape: [2, 1, 2], samples: 10 },
  ...{ channelMean: f32([1, 10]), channelDeviation: f32([0.5, 2]) },
  ...{ channelMinimum: f32([0, 8]), channelMaximum: f32([2, 16]) },
  ...{ meanElementDtype: "float32", meanElement: f32([0.75, 1.25, 9, 11]) },
};
/** The same without a range, the mean elements in binary16. */
export const withoutRange = {
  ...{ version: 1, cut: "cut", shape: [2, 1, 2], samples: 10 },
  ...{ channelMean: f32([1, 10]), channelDeviation: f32([0.5, 2]) },
  ...{ meanElementDtype: "float16", meanElement: base64("float16", [0.75, 1.25, 9, 11]) },
};

const words = (values) => Buffer.from(Uint16Array.from(values).buffer).toString("base64");
const taps = (count, list) => ({
  taps: count,
  sources: words(list.map(([source]) => source)),
  weights: base64(
    "float16",
    list.map(([, weight]) => weight),
  ),
});
const ramp = (length, first, step) => Array.from({ length }, (_, i) => first + i * step);

/**
 * Three channels of 3 x 3, CHW or HWC, with predictors of four, two and two taps; of channel 2, which
 * never varies, one tap has no weight and the others look at channels that do vary.
 */
export const withNeighbours = {
  ...{ version: 2, cut: "cut", shape: [3, 3, 3], samples: 10 },
  ...{ channelMean: f32([1, 10, 0]), channelDeviation: f32([0.5, 2, 0]) },
  ...{ channelMinimum: f32([0, 4, 0]), channelMaximum: f32([2.5, 16, 8]) },
  ...{ meanElementDtype: "float16", meanElement: base64("float16", ramp(27, 0.5, 0.25)) },
  neighbours: {
    near: taps(4, [
      [9 + 4, 0.25],
      [1, 0.5],
      [3, 0.25],
      [5, 0.125],
      [9 + 1, 0.5],
      [4, 0.25],
      [8, -0.125],
      [9 + 7, 0.375],
      [18 + 1, 0.5],
      [4, 0.5],
      [9 + 4, 0],
      [9 + 5, 1],
    ]),
    own: taps(2, [
      [1, 0.5],
      [3, 0.375],
      [9 + 7, 0.5],
      [9 + 5, 0.25],
      [18, 0.5],
      [18 + 1, 0.5],
    ]),
    others: taps(2, [
      [9 + 4, 0.75],
      [18 + 4, 0.5],
      [4, 0.5],
      [0, 0.125],
      [4, 0.25],
      [9 + 3, 0.25],
    ]),
  },
};

const sha256 = (text) => createHash("sha256").update(text, "utf8").digest("hex");

const textOfTwo =
  '{"version":1,"cut":"cut","shape":[2,1,2],"samples":10,"channelMean":"AACAPwAAIEE=","channelDeviation":"AAAAPwAAAEA=",' +
  '"channelMinimum":"AAAAAAAAAEE=","channelMaximum":"AAAAQAAAgEE=","meanElementDtype":"float32","meanElement":"AABAPwAAoD8AABBBAAAwQQ=="}';
const textWithoutRange = textOfTwo.replace(/"channelMinimum".*?"meanElementDtype"/, '"meanElementDtype"');

/** A block of one element, components that are channels. */
const transform = {
  ...{ block: [1, 1], matrixOfBand: "AA==", matrices: "" },
  ...{ gains: f32([1, 2, 1]), scales: "ChQe", coarseScales: "ChQe" },
};
const textOfNeighbours = `{"version":2,"cut":"cut","shape":[3,3,3],"samples":10,${[
  '"channelMean":"AACAPwAAIEEAAAAA","channelDeviation":"AAAAPwAAAEAAAAAA"',
  '"channelMinimum":"AAAAAAAAgEAAAAAA","channelMaximum":"AAAgQAAAgEEAAABB"',
  `"meanElementDtype":"float32","meanElement":"${f32(ramp(27, 0.5, 0.25))}"`,
  '"neighbours":{"near":{"taps":4,"sources":"DQABAAMABQAKAAQACAAQABMABAANAA4A","weights":"ADQAOAA0ADAAOAA0ALAANgA4ADgAAAA8"}',
  '"own":{"taps":2,"sources":"AQADABAADgASABMA","weights":"ADgANgA4ADQAOAA4"}',
  '"others":{"taps":2,"sources":"DQAWAAQAAAAEAAwA","weights":"ADoAOAA4ADAANAA0"}}}',
].join(",")}`;

const shuffled = Object.fromEntries(Object.entries(twoChannels).reverse());

export const cases = [
  ["all-members", twoChannels, textOfTwo],
  ["without-range-in-float16", withoutRange, textWithoutRange],
  ["members-in-another-order", shuffled, textOfTwo],
  ["neighbours", withNeighbours, textOfNeighbours],
  [
    "transform-and-neighbours",
    { ...withNeighbours, ...transform },
    textOfNeighbours.replace(
      '"neighbours":',
      () => `${JSON.stringify(transform).slice(1, -1)},"neighbours":`,
    ),
  ],
  [
    "name-beyond-ascii",
    { ...twoChannels, cut: 'é"\\/' },
    textOfTwo.replace('"cut":"cut"', '"cut":"é\\"\\\\/"'),
  ],
].map(([name, statistics, text]) => ({
  ...{ id: `statistics/hash/${name}`, shows: ["sluice/6.4/1"], op: "statistics.hash" },
  ...{ input: { statistics }, output: { hash: sha256(text) }, note: `SHA-256 of ${text}` },
}));
