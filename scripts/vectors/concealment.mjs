// Concealment (spec 6.5), byte by byte. Expected tensors are written by hand and checked by the naive codec.
import { hex } from "./hex-text.mjs";
import { elements, receive } from "./naive-codec.mjs";
import { twoChannels, withNeighbours, withoutRange } from "./statistics.mjs";

export const about = "Tensors of which slices are missing, filled by each method.";

const shape = [2, 1, 2];
const chw = { dtype: "float32", shape, layout: "chw" };
const hwc = { dtype: "float32", shape: [1, 2, 2], layout: "hwc" };
const any = (dtype, n) => ({ dtype, shape: [n], layout: "any" });
const f32 = (...values) => elements("float32", values);
/** One element in a slice of its own. */
const at = (index, count, payload) => ({ index, count, payload });
const nan = hex("0100c07f");

const list = [
  ["zero", chw, [at(1, 4, f32(5))], f32(0, 5, 0, 0)],
  ["channel-mean", chw, [at(1, 4, f32(5)), at(2, 4, f32(7))], f32(5, 5, 7, 7)],
  ["channel-mean", chw, [at(1, 4, f32(5))], f32(5, 5, 5, 5), "nothing-of-a-channel"],
  [
    "channel-mean",
    chw,
    [at(1, 4, f32(5))],
    f32(5, 5, 10, 10),
    "nothing-of-a-channel-with-statistics",
    twoChannels,
  ],
  ["channel-mean", hwc, [at(0, 4, f32(5)), at(3, 4, f32(7))], f32(5, 7, 5, 7), "hwc"],
  ["channel-mean", any("float32", 4), [at(0, 2, f32(1, 2))], f32(1, 2, 1.5, 1.5), "any"],
  [
    "channel-mean",
    any("float32", 4),
    [at(0, 4, nan), at(1, 4, f32(3)), at(2, 4, hex("0000807f"))],
    nan + f32(3) + hex("0000807f") + f32(3),
    "nan-and-infinity-came",
  ],
  ["channel-mean", any("float32", 2), [at(0, 2, nan)], nan + f32(0), "nothing-finite-came"],
  [
    "channel-mean",
    any("float32", 4),
    [at(0, 4, f32(1)), at(1, 4, f32(0)), at(2, 4, f32(0))],
    f32(1, 0, 0, 1 / 3),
    "rounded",
  ],
  ["channel-mean", any("uint8", 4), [at(0, 2, hex("01 02"))], hex("01 02 02 02"), "uint8-halves-upwards"],
  ["channel-mean", any("int8", 4), [at(0, 2, hex("ff fe"))], hex("ff fe ff ff"), "int8-halves-upwards"],
  [
    "channel-mean",
    any("int32", 3),
    [at(0, 3, hex("01000001")), at(1, 3, hex("01000001"))],
    hex("01000001 01000001 00000001"),
    "int32-through-float32",
    undefined,
    "16,777,217 stays as it came; what is filled goes through float32.",
  ],
  [
    "channel-mean",
    any("float16", 3),
    [at(0, 3, hex("003c")), at(1, 3, hex("0040"))],
    hex("003c 0040 003e"),
    "float16",
  ],
  ["zero", any("int32", 2), [at(0, 2, hex("ffffffff"))], hex("ffffffff 00000000"), "int32"],
  ["data-set-mean", chw, [at(1, 4, f32(5))], f32(0.75, 5, 9, 11), undefined, twoChannels],
  ["data-set-mean", chw, [at(3, 4, f32(5))], f32(0.75, 1.25, 9, 5), "stored-in-float16", withoutRange],
];

/** Slices of one element each that bring all but some of 27 elements, which rise and fall. */
function allBut(dtype, missing, odd = {}) {
  return Array.from({ length: 27 }, (_, i) => i)
    .filter((i) => !missing.includes(i))
    .map((i) => at(i, 27, odd[i] ?? elements(dtype, [4 + i / 4 + 3 * Math.sin(i * 1.7)])));
}

const cube = { dtype: "float32", shape: [3, 3, 3], layout: "chw" };
const range = (first, end) => Array.from({ length: end - first }, (_, i) => first + i);
const scattered = [0, 4, 8, 12, 13, 20];

/** What the naive codec makes of them: too many digits for a hand. */
const deviating = [
  ["hybrid", cube, allBut("float32", [...scattered, ...range(18, 27)]), { name: "channel-missing" }],
  ["spatial", cube, allBut("float32", scattered), { name: "scattered", statistics: undefined }],
  ["spatial", cube, allBut("float32", range(9, 18)), { name: "channel-missing" }],
  [
    "spatial",
    { ...cube, layout: "hwc" },
    allBut("float32", scattered, { 1: nan }),
    { name: "hwc-with-a-nan", statistics: undefined },
  ],
  ["spatial", any("float32", 27), allBut("float32", scattered), { name: "any", statistics: undefined }],
  ["inter-channel", cube, allBut("float32", range(0, 9)), { name: "channel-missing" }],
  ["inter-channel", { ...cube, layout: "hwc" }, allBut("float32", scattered), { name: "hwc" }],
  ["temporal", cube, allBut("float32", scattered), { name: "nothing-before" }],
  ["temporal", cube, allBut("float32", scattered), { name: "no-statistics", statistics: undefined }],
  ["auto", cube, allBut("float32", scattered), { name: "scattered" }],
  ["auto", cube, allBut("float32", range(0, 9)), { name: "channel-missing" }],
  ["auto", cube, allBut("float32", [...range(0, 7), ...range(9, 12)]), { name: "channel-mostly-missing" }],
  ["auto", cube, allBut("float32", range(0, 26)), { name: "nearly-all-missing" }],
  ["auto", { ...cube, layout: "hwc" }, allBut("float32", scattered, { 2: nan }), { name: "hwc-with-a-nan" }],
  ["auto", { ...cube, dtype: "uint8" }, allBut("uint8", scattered), { name: "uint8" }],
  ["auto", { ...cube, dtype: "float16" }, allBut("float16", scattered), { name: "float16" }],
  ["auto", cube, allBut("float32", scattered), { name: "no-statistics", statistics: undefined }],
  ["auto", any("float32", 27), allBut("float32", scattered), { name: "any", statistics: undefined }],
];

export const cases = [
  ...deviating.map(([concealment, spec, slices, { name, ...given }]) => {
    const { statistics } = { statistics: withNeighbours, ...given };
    const input = { spec, codec: "raw", concealment, ...(statistics ? { statistics } : {}), slices };
    return {
      ...{ id: `conceal/${concealment}/${name}`, shows: ["sluice/6.5/1"], op: "tensor.receive" },
      ...{ input, output: receive(input) },
    };
  }),
  ...list.map(([concealment, spec, slices, data, name, statistics, note]) => {
    const input = { spec, codec: "raw", concealment, ...(statistics ? { statistics } : {}), slices };
    const { missing } = receive(input);
    return {
      ...{
        id: `conceal/${concealment}/${name ?? "plain"}`,
        shows: ["sluice/6.5/1"],
        op: "tensor.receive",
        input,
      },
      ...{ output: { refused: [], missing, data }, ...(note ? { note } : {}), check: receive(input) },
    };
  }),
  ...["hybrid", "inter-channel"].map((concealment) => ({
    ...{ id: `conceal/${concealment}/without-statistics`, shows: [], op: "tensor.receive" },
    input: { spec: chw, codec: "raw", concealment, slices: [at(1, 4, f32(5))] },
    error: "statisticsMismatch",
  })),
  {
    ...{ id: "conceal/inter-channel/without-neighbours", shows: [], op: "tensor.receive" },
    input: {
      ...{ spec: chw, codec: "raw", concealment: "inter-channel", statistics: twoChannels },
      slices: [at(1, 4, f32(5))],
    },
    error: "statisticsMismatch",
  },
  {
    ...{ id: "conceal/data-set-mean/without-statistics", shows: [], op: "tensor.receive" },
    input: { spec: chw, codec: "raw", concealment: "data-set-mean", slices: [at(1, 4, f32(5))] },
    error: "statisticsMismatch",
  },
  {
    ...{ id: "conceal/unknown-method", shows: ["sluice/4.3/2"], op: "tensor.receive" },
    input: { spec: chw, codec: "raw", concealment: "guess", slices: [at(1, 4, f32(5))] },
    error: "specMismatch",
  },
];
