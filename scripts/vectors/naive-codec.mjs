// The codecs and concealments of spec 6, written as the text says and as slowly as that is, to compute what the
// vectors expect. It shares no code with the packages.
import { concealByDeviations, spatialTaps } from "./naive-concealment.mjs";
import { dealtElements } from "./naive-interleaving.mjs";

export const dtypeBytes = { float32: 4, float16: 2, uint8: 1, int8: 1, int32: 4 };
const integerRange = { uint8: [0, 255], int8: [-128, 127], int32: [-(2 ** 31), 2 ** 31 - 1] };

/** What a binary16 pattern means (IEEE 754). */
export function halfValue(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The finite binary16 pattern nearest to a finite value, ties to the even one: looks at all of them. */
function nearestHalf(value) {
  let best = 0;
  let distance = Number.POSITIVE_INFINITY;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  for (let bits = 0; bits < 0x7c00; bits++) {
    const d = Math.abs(halfValue(bits) - Math.abs(value));
    if (d < distance || (d === distance && bits % 2 === 0)) [best, distance] = [bits, d];
  }
  return best | sign;
}

const viewOf = (hex) => {
  const bytes = Uint8Array.from(Buffer.from(hex, "hex"));
  return new DataView(bytes.buffer);
};

/** Element values of little-endian bytes in hex. */
export function readElements(dtype, hex) {
  const view = viewOf(hex);
  return Array.from({ length: view.byteLength / dtypeBytes[dtype] }, (_, i) => {
    switch (dtype) {
      case "float32":
        return view.getFloat32(4 * i, true);
      case "float16":
        return halfValue(view.getUint16(2 * i, true));
      case "int32":
        return view.getInt32(4 * i, true);
      case "int8":
        return view.getInt8(i);
      default:
        return view.getUint8(i);
    }
  });
}

/** Bytes of one element that a float64 becomes: float32 first, then the dtype (spec 6.2). */
export function elementHex(dtype, float64) {
  const value = Math.fround(float64);
  const view = new DataView(new ArrayBuffer(dtypeBytes[dtype]));
  if (dtype === "float32") view.setFloat32(0, value, true);
  else if (dtype === "float16") view.setUint16(0, nearestHalf(value), true);
  else {
    const [low, high] = integerRange[dtype];
    const whole = Math.min(high, Math.max(low, Math.floor(value + 0.5)));
    if (dtype === "int32") view.setInt32(0, whole, true);
    else view.setUint8(0, whole & 255);
  }
  return Buffer.from(view.buffer).toString("hex");
}

export const elements = (dtype, values) => values.map((value) => elementHex(dtype, value)).join("");

export const count = (shape) => shape.reduce((product, size) => product * size, 1);

export function channelOf({ shape, layout }, element) {
  if (layout === "any") return 0;
  const [a, b, c] = shape;
  return layout === "chw" ? Math.floor(element / (b * c)) % a : element % c;
}

/** b(k): the fewest bits with 2^b >= L^k. */
function bits(levels, k) {
  let b = 0;
  while (2n ** BigInt(b) < BigInt(levels) ** BigInt(k)) b++;
  return b;
}

/** g: of all group sizes with L^g <= 2^50 the one with the fewest bits for each symbol, and of equals the smallest. */
export function groupSize(levels) {
  let best = 1;
  for (let g = 1; BigInt(levels) ** BigInt(g) <= 2n ** 50n; g++) {
    if (bits(levels, g) * best < bits(levels, best) * g) best = g;
  }
  return best;
}

function groupsOf(levels, symbols) {
  const g = groupSize(levels);
  return Array.from({ length: Math.ceil(symbols / g) }, (_, i) => Math.min(g, symbols - i * g));
}

export function packedBytes(levels, symbols) {
  return Math.ceil(groupsOf(levels, symbols).reduce((sum, k) => sum + bits(levels, k), 0) / 8);
}

/** One large number holds all bits, least significant first. */
export function pack(levels, symbols) {
  let stream = 0n;
  let at = 0;
  let next = 0;
  for (const k of groupsOf(levels, symbols.length)) {
    let group = 0n;
    for (let i = k - 1; i >= 0; i--) group = group * BigInt(levels) + BigInt(symbols[next + i]);
    next += k;
    stream |= group << BigInt(at);
    at += bits(levels, k);
  }
  let hex = "";
  for (let i = 0; i < packedBytes(levels, symbols.length); i++) {
    hex += Number((stream >> BigInt(8 * i)) & 255n)
      .toString(16)
      .padStart(2, "0");
  }
  return hex;
}

export function unpack(levels, hex, symbols) {
  let stream = 0n;
  for (const [i, byte] of [...Buffer.from(hex, "hex")].entries()) stream |= BigInt(byte) << BigInt(8 * i);
  const out = [];
  for (const k of groupsOf(levels, symbols)) {
    const width = BigInt(bits(levels, k));
    let group = stream & (2n ** width - 1n);
    stream >>= width;
    for (let i = 0; i < k - 1; i++) {
      out.push(Number(group % BigInt(levels)));
      group /= BigInt(levels);
    }
    out.push(Math.min(levels - 1, Number(group)));
  }
  return out;
}

/** `quantize:levels=7,clip=3,per=tensor`, canonical. */
export function parameters(codec) {
  const values = Object.fromEntries(
    codec
      .slice("quantize:".length)
      .split(",")
      .map((pair) => pair.split("=")),
  );
  return { levels: Number(values.levels), clip: Number(values.clip), per: values.per };
}

const largest = 1.5e38;
const bounded = (value) => Math.min(largest, Math.max(-largest, value));

function lowAndStep({ mean, deviation, minimum, maximum }, levels, clip) {
  const low = Math.fround(bounded(Math.max(mean - clip * deviation, minimum)));
  const high = bounded(Math.min(mean + clip * deviation, maximum));
  return { low, step: Math.fround(Math.max(0, high - low) / (levels - 1)), mean };
}

const floats = (base64) => readElements("float32", Buffer.from(base64, "base64").toString("hex"));

/** Low and step of a channel from the stored form of statistics. */
function channelRange(statistics, channel, { levels, clip }) {
  const mean = floats(statistics.channelMean)[channel];
  const minimum = statistics.channelMinimum ? floats(statistics.channelMinimum)[channel] : -largest;
  const maximum = statistics.channelMaximum ? floats(statistics.channelMaximum)[channel] : largest;
  return lowAndStep(
    {
      ...{ mean, deviation: floats(statistics.channelDeviation)[channel] },
      ...{ minimum: Math.min(mean, minimum), maximum: Math.max(mean, maximum) },
    },
    levels,
    clip,
  );
}

export function tensorRange(values, { levels, clip }) {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return { low: 0, step: 0, mean: 0 };
  const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length;
  const variance = finite.reduce((sum, value) => sum + (value - mean) ** 2, 0) / finite.length;
  const moments = {
    mean,
    deviation: Math.sqrt(variance),
    minimum: Math.min(...finite),
    maximum: Math.max(...finite),
  };
  return lowAndStep(moments, levels, clip);
}

export function symbolOf(value, { low, step, mean }, levels) {
  if (step === 0) return 0;
  const x = Number.isNaN(value) ? mean : value;
  return Math.min(levels - 1, Math.max(0, Math.floor((x - low) * (1 / step) + 0.5)));
}

export const sliceRange = (index, of, units) => [
  Number((BigInt(index) * BigInt(units)) / BigInt(of)),
  Number(((BigInt(index) + 1n) * BigInt(units)) / BigInt(of)),
];

/** The payload of a slice, in hex. */
export function encodeSlice({ spec, codec, statistics, interleave = "", data, index, count: of, range }) {
  const [first, end] = range ?? sliceRange(index, of, count(spec.shape));
  const size = 2 * dtypeBytes[spec.dtype];
  const held = dealtElements(spec, interleave).slice(first, end);
  if (codec === "raw") return held.map((i) => data.slice(i * size, (i + 1) * size)).join("");
  const p = parameters(codec);
  const values = readElements(spec.dtype, data).map(Math.fround);
  const whole = p.per === "tensor" ? tensorRange(values, p) : undefined;
  const symbols = held.map((i) =>
    symbolOf(values[i], whole ?? channelRange(statistics, channelOf(spec, i), p), p.levels),
  );
  const head = whole ? elements("float32", [whole.low, whole.step]) : "";
  return head + pack(p.levels, symbols);
}

/** The elements of a slice, each in hex; `undefined` where it is refused. */
function decodeSlice({ spec, codec, statistics }, held, payload) {
  const n = held.length;
  const size = 2 * dtypeBytes[spec.dtype];
  if (codec === "raw")
    return payload.length === n * size ? payload.match(new RegExp(`.{${size}}`, "g")) : undefined;
  const p = parameters(codec);
  const head = p.per === "tensor" ? 16 : 0;
  if (payload.length !== head + 2 * packedBytes(p.levels, n)) return undefined;
  const [low, step] = head ? readElements("float32", payload.slice(0, head)) : [];
  if (head) {
    const top = Math.fround(low + (p.levels - 1) * step);
    if (!Number.isFinite(low) || !(step >= 0) || !Number.isFinite(top)) return undefined;
  }
  return unpack(p.levels, payload.slice(head), n).map((symbol, i) => {
    const range = head ? { low, step } : channelRange(statistics, channelOf(spec, held[i]), p);
    return elementHex(spec.dtype, range.low + symbol * range.step);
  });
}

const words = (base64) => {
  const bytes = Buffer.from(base64, "base64");
  return Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16LE(2 * i));
};
const readTaps = ({ taps, sources, weights }) => ({
  ...{ taps, sources: words(sources), weights: words(weights).map(halfValue) },
});

function meanElements(statistics) {
  const hex = Buffer.from(statistics.meanElement, "base64").toString("hex");
  return readElements(statistics.meanElementDtype, hex);
}

function concealed(parts, spec, concealment, statistics) {
  const cells = parts.map((part) => part ?? undefined);
  const values = cells.map((cell) =>
    cell === undefined ? undefined : Math.fround(readElements(spec.dtype, cell)[0]),
  );
  const channels = cells.map((_, i) => channelOf(spec, i));
  const count = Math.max(...channels) + 1;
  const finite = (test) => values.filter((value, i) => Number.isFinite(value) && test(i));
  const meanOf = (list) =>
    list.length === 0 ? undefined : list.reduce((sum, value) => sum + value, 0) / list.length;
  const known = statistics ? floats(statistics.channelMean) : undefined;
  const channelMeans = Array.from({ length: count }, (_, channel) =>
    Math.fround(
      meanOf(finite((i) => channels[i] === channel)) ?? known?.[channel] ?? meanOf(finite(() => true)) ?? 0,
    ),
  );
  const byChannel = channels.map((channel) => channelMeans[channel]);
  const hybridShift = (channel) =>
    Math.fround(
      channelMeans[channel] - meanOf(meanElements(statistics).filter((_, i) => channels[i] === channel)),
    );
  const ranges = Array.from({ length: count }, (_, channel) => {
    if (statistics?.channelMinimum && statistics.channelMaximum)
      return [floats(statistics.channelMinimum)[channel], floats(statistics.channelMaximum)[channel]];
    const came = finite((i) => channels[i] === channel);
    return came.length > 0 ? [Math.min(...came), Math.max(...came)] : [-Infinity, Infinity];
  });
  const { near, own, others } = statistics?.neighbours ?? {};
  const deviate = (expected, tables, deviations) =>
    spec.layout === "any"
      ? expected
      : concealByDeviations(spec, values, expected, tables, deviations, ranges);
  const alike = Array.from({ length: count }, () => 1);
  const spatial = { near: spatialTaps(count) };
  const fill = () => {
    switch (concealment) {
      case "zero":
        return cells.map(() => 0);
      case "channel-mean":
        return byChannel;
      case "data-set-mean":
        return meanElements(statistics);
      case "hybrid":
        return meanElements(statistics).map((mean, i) => mean + hybridShift(channels[i]));
      case "temporal":
        return statistics ? meanElements(statistics) : byChannel;
      case "spatial":
        return deviate(byChannel, spatial, alike);
      case "inter-channel":
        return deviate(
          meanElements(statistics),
          { near: readTaps(others) },
          floats(statistics.channelDeviation),
        );
      default: {
        const expected = statistics ? meanElements(statistics) : byChannel;
        if (!near) return deviate(expected, spatial, alike);
        const tables = { near: readTaps(near), own: readTaps(own), others: readTaps(others) };
        return deviate(expected, tables, floats(statistics.channelDeviation));
      }
    }
  };
  const filled = fill();
  return cells.map((cell, i) => cell ?? elementHex(spec.dtype, filled[i]));
}

/** What a receiver makes of slices: refused ones by their place, what is missing, and the whole tensor in hex. */
export function receive(input) {
  const { spec, concealment, statistics, interleave = "", slices } = input;
  const units = count(spec.shape);
  const parts = Array.from({ length: units });
  const order = dealtElements(spec, interleave);
  const refused = [];
  for (const [at, { index, count: of, range, payload }] of slices.entries()) {
    const [first, end] = range ?? sliceRange(index, of, units);
    const held = order.slice(first, end);
    const cells = decodeSlice(input, held, payload);
    if (cells === undefined) refused.push(at);
    else for (const [i, cell] of cells.entries()) parts[held[i]] = cell;
  }
  const missing = [];
  for (let i = 0; i < units; i++) {
    if (parts[i] !== undefined) continue;
    if (missing.at(-1)?.[1] === i) missing.at(-1)[1]++;
    else missing.push([i, i + 1]);
  }
  return { refused, missing, data: concealed(parts, spec, concealment, statistics).join("") };
}
