// The codec `sluice` of spec 6.11, written as the text says and as slowly as that is. It shares no code with the packages;
// the frequencies are those that the text prints.
import { readFileSync } from "node:fs";
import { channelOf, elementHex, readElements, sliceRange } from "./naive-codec.mjs";
import { dealt } from "./naive-interleaving.mjs";

const text = readFileSync(new URL("../../spec/sluice.md", import.meta.url), "utf8");
const frequencies = text
  .split("<!-- frequencies -->\n```text\n")[1]
  .split("\n```")[0]
  .split("\n")
  .map((line) => line.split(" ").map(Number));

const bytesOf = (base64) => [...Buffer.from(base64, "base64")];
const signed = (byte) => (byte > 127 ? byte - 256 : byte);
const floats = (base64) => readElements("float32", Buffer.from(base64, "base64").toString("hex"));

function parameters(codec) {
  const [, quality, layers] = /^sluice:quality=(\d+),layers=(\d+)/.exec(codec).map(Number);
  return { quality, layers };
}

/** Everything that does not depend on a payload. */
function plan({ spec, codec, statistics, interleave = "" }) {
  const { shape, layout } = spec;
  const elements = shape.reduce((product, size) => product * size, 1);
  const channels = layout === "chw" ? shape[0] : layout === "hwc" ? shape[2] : 1;
  const width = layout === "hwc" ? shape[1] : (shape.at(-1) ?? 1);
  const height = elements / channels / width;
  const [h, w] = statistics.block;
  const columns = Math.ceil(width / w);
  const blocks = columns * Math.ceil(height / h);
  const { layers } = parameters(codec);
  const scales = bytesOf(statistics.scales);
  const coarse = bytesOf(statistics.coarseScales);
  const order = scales.map((_, i) => i).sort((i, j) => scales[j] - scales[i] || i - j);
  const cost = (i) => Math.max(0, scales[i] - 64) ** 2;
  const total = order.reduce((sum, i) => sum + cost(i), 0);
  const ends = Array.from({ length: layers }, (_, l) => {
    if (l === layers - 1) return order.length;
    const reached = (at) => layers * order.slice(0, at + 1).reduce((sum, i) => sum + cost(i), 0);
    return 1 + order.findIndex((_, at) => reached(at) >= (l + 1) * total);
  });
  const layerOf = (l) => ({ first: l === 0 ? 0 : ends[l - 1], end: ends[l] });
  const rowsAt = (q) => {
    const rows = order.map((i) => {
      const [s, t] = [scales[i], coarse[i]];
      if (s === 0) return -1;
      return q > 50 ? s - 64 + q - 50 : s - 64 + Math.floor(((s - t) * (q - 50)) / 16);
    });
    const written = rows.reduce((last, r, at) => (r >= 0 ? at + 1 : last), 0);
    return rows.slice(0, written).map((r) => Math.max(0, r));
  };
  return {
    ...{ elements, channels, width, height, h, w, columns, blocks, order, layerOf, rowsAt },
    units: layers * blocks,
    blockOrder: dealt(interleave, blocks / columns, columns),
  };
}

const plain = (value, bits) => (bits === 0 ? [] : [[value * 2 ** (15 - bits), 2 ** (15 - bits)]]);
const plainBits = (r) => (r < 49 ? 0 : Math.min(12, Math.ceil((r - 48) / 8)));
const rowOf = (r) => frequencies[r < 49 ? r : Math.min(48, r - 8 * plainBits(r))];
const startOf = (row, symbol) => row.slice(0, symbol).reduce((sum, f) => sum + f, 0);

/** Intervals of one coefficient. */
function intervalsOf(n, r) {
  const p = plainBits(r);
  const row = rowOf(r);
  const a = Math.floor(Math.abs(n) / 2 ** p);
  const symbol = Math.min(a, 17);
  const rest = [];
  if (a >= 17) {
    const e = a - 16;
    const z = Math.floor(Math.log2(e));
    rest.push(...plain(z, 4), ...plain(e - 2 ** z, z));
  }
  const sign = n === 0 ? [] : plain(n < 0 ? 1 : 0, 1);
  return [[startOf(row, symbol), row[symbol]], ...rest, ...plain(Math.abs(n) % 2 ** p, p), ...sign];
}

/** The payload of a slice in hex: `coefficientOf(unit, place in the order)` says what is in it. */
export function encodeSluice(input, quality, index, count, coefficientOf) {
  const { units, blocks, layerOf, rowsAt } = plan(input);
  const rows = rowsAt(quality);
  const [first, end] = sliceRange(index, count, units);
  const intervals = [];
  for (let unit = first; unit < end; unit++) {
    const layer = layerOf(Math.floor(unit / blocks));
    for (let at = layer.first; at < Math.min(layer.end, rows.length); at++) {
      intervals.push(...intervalsOf(coefficientOf(unit, at), rows[at]));
    }
  }
  let x = 2n ** 23n;
  const bytes = [];
  for (const [start, f] of intervals.reverse()) {
    while (x >= BigInt(f) << 16n) {
      bytes.unshift(Number(x & 255n));
      x >>= 8n;
    }
    x = (x / BigInt(f)) * 32768n + (x % BigInt(f)) + BigInt(start);
  }
  for (let i = 0; i < 4; i++) {
    bytes.unshift(Number(x & 255n));
    x >>= 8n;
  }
  return Buffer.from([quality, ...bytes]).toString("hex");
}

/** Coefficients of a slice by unit and place, or `undefined` where it is refused. */
function decodeSlice(planned, first, end, payload) {
  const { blocks, layerOf, rowsAt } = planned;
  const bytes = [...Buffer.from(payload, "hex")];
  // Slices that are predicted need a frame before; the cases have none.
  const quality = bytes.shift();
  if (quality > 100 || bytes.length < 4) return undefined;
  const rows = rowsAt(quality);
  let x = 0n;
  for (let i = 0; i < 4; i++) x = x * 256n + BigInt(bytes.shift());
  if (x < 2n ** 23n || x >= 2n ** 31n) return undefined;
  let ended = false;
  const advance = (start, f) => {
    x = BigInt(f) * (x / 32768n) + (x % 32768n) - BigInt(start);
    while (x < 2n ** 23n && !ended) {
      if (bytes.length === 0) ended = true;
      else x = x * 256n + BigInt(bytes.shift());
    }
  };
  const read = (bits) => {
    if (bits === 0) return 0;
    const value = Number((x % 32768n) >> BigInt(15 - bits));
    advance(value * 2 ** (15 - bits), 2 ** (15 - bits));
    return value;
  };
  const found = [];
  for (let unit = first; unit < end; unit++) {
    const { first: from, end: to } = layerOf(Math.floor(unit / blocks));
    for (let at = from; at < Math.min(to, rows.length); at++) {
      const row = rowOf(rows[at]);
      const slot = Number(x % 32768n);
      const symbol = row.findIndex((f, s) => slot < startOf(row, s) + f);
      advance(startOf(row, symbol), row[symbol]);
      let a = symbol;
      if (symbol === 17) {
        const z = read(4);
        a = 16 + 2 ** z + read(z);
      }
      const p = plainBits(rows[at]);
      const magnitude = a * 2 ** p + read(p);
      const n = magnitude !== 0 && read(1) === 1 ? -magnitude : magnitude;
      if (ended) return undefined;
      found.push({
        unit,
        at,
        value: Math.sign(n) * (Math.abs(n) + (n === 0 ? 0 : 1 / 16)) * 2 ** ((50 - quality) / 8),
      });
    }
  }
  return bytes.length === 0 && x === 2n ** 23n ? found : undefined;
}

const wave = (k, i, n) => Math.sqrt((k === 0 ? 1 : 2) / n) * Math.cos((Math.PI * (i + 0.5) * k) / n);

/** What a receiver makes of slices, missing elements 0. */
export function receiveSluice(input) {
  const { spec, statistics, slices } = input;
  const planned = plan(input);
  const { elements, channels, width, height, h, w, columns, blocks, blockOrder, order, units } = planned;
  const matrixOf = bytesOf(statistics.matrixOfBand);
  const matrices = bytesOf(statistics.matrices).map(signed);
  const gains = floats(statistics.gains);
  const coefficients = Array.from({ length: blocks }, () => order.map(() => 0));
  const has = Array.from({ length: blocks }, () => false);
  const refused = [];
  for (const [place, { index, count, payload }] of slices.entries()) {
    const [first, end] = sliceRange(index, count, units);
    const found = payload === "" ? [] : decodeSlice(planned, first, end, payload);
    if (found === undefined) {
      refused.push(place);
      continue;
    }
    for (let unit = first; unit < end; unit++) {
      const layer = planned.layerOf(Math.floor(unit / blocks));
      for (let at = layer.first; at < layer.end; at++) coefficients[blockOrder[unit % blocks]][at] = 0;
      if (unit < blocks) has[blockOrder[unit]] = true;
    }
    for (const { unit, at, value } of found) coefficients[blockOrder[unit % blocks]][at] = value;
  }
  const means = readElements(
    statistics.meanElementDtype,
    Buffer.from(statistics.meanElement, "base64").toString("hex"),
  );
  const low = statistics.channelMinimum && floats(statistics.channelMinimum);
  const high = statistics.channelMaximum && floats(statistics.channelMaximum);
  const average = floats(statistics.channelMean);
  const deviation = floats(statistics.channelDeviation);
  const out = [];
  const missing = [];
  for (let i = 0; i < elements; i++) {
    const c = channelOf(spec, i);
    const position = spec.layout === "hwc" ? Math.floor(i / channels) : i % (height * width);
    const [y, x] = [Math.floor(position / width), position % width];
    const block = Math.floor(y / h) * columns + Math.floor(x / w);
    if (!has[block]) {
      if (missing.at(-1)?.[1] === i) missing.at(-1)[1]++;
      else missing.push([i, i + 1]);
      out.push(elementHex(spec.dtype, 0));
      continue;
    }
    let sum = means[i];
    for (const [at, coefficient] of order.entries()) {
      const value = coefficients[block][at];
      const [b, k] = [Math.floor(coefficient / channels), coefficient % channels];
      const row = matrixOf[b] * channels + k;
      const share = matrices.length > 0 ? matrices[row * channels + c] : c === k ? 1 : 0;
      const wave2 = wave(Math.floor(b / w), y % h, h) * wave(b % w, x % w, w);
      sum += value * gains[row] * share * wave2;
    }
    const bottom = low ? low[c] : average[c] - 1000 * deviation[c];
    const top = high ? high[c] : average[c] + 1000 * deviation[c];
    out.push(elementHex(spec.dtype, Math.min(top, Math.max(bottom, sum))));
  }
  return { refused, missing, data: out.join("") };
}
