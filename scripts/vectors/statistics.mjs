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

const sha256 = (text) => createHash("sha256").update(text, "utf8").digest("hex");

const textOfTwo =
  '{"version":1,"cut":"cut","shape":[2,1,2],"samples":10,"channelMean":"AACAPwAAIEE=","channelDeviation":"AAAAPwAAAEA=",' +
  '"channelMinimum":"AAAAAAAAAEE=","channelMaximum":"AAAAQAAAgEE=","meanElementDtype":"float32","meanElement":"AABAPwAAoD8AABBBAAAwQQ=="}';
const textWithoutRange = textOfTwo.replace(/"channelMinimum".*?"meanElementDtype"/, '"meanElementDtype"');

const shuffled = Object.fromEntries(Object.entries(twoChannels).reverse());

export const cases = [
  ["all-members", twoChannels, textOfTwo],
  ["without-range-in-float16", withoutRange, textWithoutRange],
  ["members-in-another-order", shuffled, textOfTwo],
  [
    "name-beyond-ascii",
    { ...twoChannels, cut: 'é"\\/' },
    textOfTwo.replace('"cut":"cut"', '"cut":"é\\"\\\\/"'),
  ],
].map(([name, statistics, text]) => ({
  ...{ id: `statistics/hash/${name}`, shows: ["sluice/6.4/1"], op: "statistics.hash" },
  ...{ input: { statistics }, output: { hash: sha256(text) }, note: `SHA-256 of ${text}` },
}));
