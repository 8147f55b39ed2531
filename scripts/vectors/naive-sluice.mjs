// The codec `sluice` of spec 6.11, written as the text says and as slowly as that is. It shares no code with the packages;
// the frequencies are those that the text prints.
import { readFileSync } from "node:fs";
import { channelOf, elementHex, readElements, sliceRange } from "./naive-codec.mjs";
import { dealt } from "./naive-interleaving.mjs";
import { createNaiveMotion } from "./naive-motion.mjs";

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
  const value = (name, otherwise) => Number(new RegExp(`${name}=(\\d+)`).exec(codec)?.[1] ?? otherwise);
  return { layers: value("layers", 3), memory: value("memory", 0), motion: value("motion", 0) };
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
  const { layers, memory, motion } = parameters(codec);
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
    ...{ elements, channels, width, height, h, w, columns, blocks, order, layerOf, rowsAt, memory, motion },
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

/** The highest row that coefficients have in each mode. */
const limits = [Number.POSITIVE_INFINITY, 24, 16];

/** What the vectors of blocks, in their order, are expected to be, as `vectorOf` learns them. */
function expectVectors({ columns }, blocks, vectorOf) {
  const known = new Map();
  let last;
  for (const block of blocks) {
    const there = (near, isBeside) => (isBeside ? known.get(near) : undefined) ?? last ?? [0, 0];
    const near = [
      there(block - 1, block % columns > 0),
      there(block - columns, true),
      there(block - columns + 1, block % columns < columns - 1),
    ];
    const middle = (axis) => near.map((vector) => vector[axis]).sort((a, b) => a - b)[1];
    last = vectorOf(block, [middle(0), middle(1)]);
    known.set(block, last);
  }
  return known;
}

/** Blocks of which a unit is predicted, in their order. */
const movingBlocks = (modes, first, blockOrder) =>
  [
    ...new Set(modes.flatMap((mode, i) => (mode === 0 ? [] : [blockOrder[(first + i) % blockOrder.length]]))),
  ].sort((a, b) => a - b);

/**
 * The payload of a slice in hex: `coefficientOf(unit, place in the order)` says what is in it.
 * @param predicted `{ distance, vectorClass, modeOf(unit), vectorOf(block) }` where units of it are
 */
export function encodeSluice(input, quality, index, count, coefficientOf, predicted) {
  const planned = plan(input);
  const { units, blocks, layerOf, rowsAt } = planned;
  const rows = rowsAt(quality);
  const [first, end] = sliceRange(index, count, units);
  const intervals = [];
  const head = [quality];
  const modes = Array.from({ length: end - first }, (_, i) => predicted?.modeOf(first + i) ?? 0);
  if (predicted) {
    const { distance, vectorClass = 0, vectorOf } = predicted;
    head[0] += 128;
    head.push(distance + 32 * vectorClass);
    for (let i = 0; i < modes.length; i += 4) {
      head.push(modes.slice(i, i + 4).reduce((byte, mode, j) => byte + mode * 4 ** j, 0));
    }
    if (vectorClass > 0) {
      expectVectors(planned, movingBlocks(modes, first, planned.blockOrder), (block, [dy, dx]) => {
        const [y, x] = vectorOf(block);
        for (const n of [y - dy, x - dx]) intervals.push(...intervalsOf(n, 8 * vectorClass));
        return [y, x];
      });
    }
  }
  for (let unit = first; unit < end; unit++) {
    const mode = modes[unit - first];
    if (mode === 3) continue;
    const layer = layerOf(Math.floor(unit / blocks));
    for (let at = layer.first; at < Math.min(layer.end, rows.length); at++) {
      intervals.push(...intervalsOf(coefficientOf(unit, at), Math.min(limits[mode], rows[at])));
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
  return Buffer.from([...head, ...bytes]).toString("hex");
}

/** Reads numbers from what is behind the head of a payload. */
function readIntervals(bytes) {
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
  return {
    /** A number in a row; NaN behind the end. */
    next(r) {
      const row = rowOf(r);
      const slot = Number(x % 32768n);
      const symbol = row.findIndex((f, s) => slot < startOf(row, s) + f);
      advance(startOf(row, symbol), row[symbol]);
      let a = symbol;
      if (symbol === 17) {
        const z = read(4);
        a = 16 + 2 ** z + read(z);
      }
      const p = plainBits(r);
      const magnitude = a * 2 ** p + read(p);
      const n = magnitude !== 0 && read(1) === 1 ? -magnitude : magnitude;
      return ended ? Number.NaN : n;
    },
    isAtEnd: () => !ended && bytes.length === 0 && x === 2n ** 23n,
  };
}

/**
 * A slice that is not empty: its distance, its vectors by block, and for each unit its mode and the values that are written;
 * or `undefined` where it is refused.
 */
function decodeSlice(planned, first, end, payload) {
  const { blocks, layerOf, rowsAt, memory, motion } = planned;
  const bytes = [...Buffer.from(payload, "hex")];
  const flags = bytes.shift();
  const quality = flags % 128;
  if (quality > 100) return undefined;
  let modes = Array.from({ length: end - first }, () => 0);
  let [distance, vectorClass] = [0, 0];
  if (flags >= 128) {
    const modeBytes = Math.ceil((end - first) / 4);
    if (bytes.length < 1 + modeBytes) return undefined;
    const byte = bytes.shift();
    [distance, vectorClass] = [byte % 32, Math.floor(byte / 32)];
    if (distance < 1 || distance > memory || (vectorClass > 0 && motion === 0)) return undefined;
    const packed = bytes.splice(0, modeBytes);
    modes = modes.map((_, i) => Math.floor(packed[Math.floor(i / 4)] / 4 ** (i % 4)) % 4);
  }
  if (bytes.length < 4) return undefined;
  const rows = rowsAt(quality);
  const numbers = readIntervals(bytes);
  if (numbers === undefined) return undefined;
  const moving = vectorClass > 0 ? movingBlocks(modes, first, planned.blockOrder) : [];
  const vectors = expectVectors(planned, moving, (_, expected) =>
    expected.map((likely) => likely + numbers.next(8 * vectorClass)),
  );
  if ([...vectors.values()].flat().some((n) => !(Math.abs(n) <= 8 * motion))) return undefined;
  const found = [];
  for (let unit = first; unit < end; unit++) {
    const { first: from, end: to } = layerOf(Math.floor(unit / blocks));
    const mode = modes[unit - first];
    const values = [];
    for (let at = from; mode !== 3 && at < Math.min(to, rows.length); at++) {
      const n = numbers.next(Math.min(limits[mode], rows[at]));
      if (Number.isNaN(n)) return undefined;
      values.push(Math.sign(n) * (Math.abs(n) + (n === 0 ? 0 : 1 / 16)) * 2 ** ((50 - quality) / 8));
    }
    found.push({ unit, mode, values });
  }
  return numbers.isAtEnd() ? { distance, vectors, found } : undefined;
}

const wave = (k, i, n) => Math.sqrt((k === 0 ? 1 : 2) / n) * Math.cos((Math.PI * (i + 0.5) * k) / n);

/**
 * Takes the slices of a frame.
 * @param frames those before by number, each with `coefficients` by block and place in the order, and whether it `isWhole`
 */
function takeFrame(planned, moveBlock, frames, number, slices) {
  const { blocks, blockOrder, order, units, layerOf } = planned;
  const coefficients = Array.from({ length: blocks }, () => order.map(() => 0));
  const has = Array.from({ length: blocks }, () => false);
  const taken = new Set();
  const refused = [];
  const empty = (first, end) => ({
    vectors: new Map(),
    found: Array.from({ length: end - first }, (_, i) => ({ unit: first + i, mode: 0, values: [] })),
  });
  for (const [place, { index, count, payload }] of slices.entries()) {
    const [first, end] = sliceRange(index, count, units);
    const slice = payload === "" ? empty(first, end) : decodeSlice(planned, first, end, payload);
    const before = slice?.distance > 0 ? frames.get(number - slice.distance) : undefined;
    if (slice === undefined || (slice.distance > 0 && !before?.isWhole)) {
      refused.push(place);
      continue;
    }
    for (const { unit, mode, values } of slice.found) {
      const block = blockOrder[unit % blocks];
      const layer = layerOf(Math.floor(unit / blocks));
      const [dy, dx] = slice.vectors.get(block) ?? [0, 0];
      const moved = mode !== 0 && (dy !== 0 || dx !== 0) && moveBlock(before.coefficients, block, [dy, dx]);
      for (let at = layer.first; at < layer.end; at++) {
        const likely = mode === 0 ? 0 : moved ? moved[order[at]] : before.coefficients[block][at];
        coefficients[block][at] = Math.fround(likely + (values[at - layer.first] ?? 0));
      }
      taken.add(unit);
      if (unit < blocks) has[block] = true;
    }
  }
  return { refused, coefficients, has, isWhole: taken.size === units };
}

/** What a receiver makes of slices, missing elements 0. */
export function receiveSluice(input) {
  const { spec, statistics, slices, before = [], frame = 0 } = input;
  const planned = plan(input);
  const { elements, channels, width, height, h, w, columns, order } = planned;
  const matrixOf = bytesOf(statistics.matrixOfBand);
  const matrices = bytesOf(statistics.matrices).map(signed);
  const gains = floats(statistics.gains);
  const move = createNaiveMotion({ ...planned, matrixOf, matrices, gains });
  const moveBlock = (from, block, vector) => move((other, i) => from[other][order.indexOf(i)], block, vector);
  const frames = new Map();
  for (const { frame: number, slices: own } of before) {
    frames.set(number, takeFrame(planned, moveBlock, frames, number, own));
  }
  const { refused, coefficients, has } = takeFrame(planned, moveBlock, frames, frame, slices);
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
