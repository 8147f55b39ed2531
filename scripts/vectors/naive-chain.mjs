// Chains of stages of spec 6.6 to 6.10, as the text says. What an image codec decodes is given as a plane.
import {
  count,
  elementHex,
  parameters,
  readElements,
  sliceRange,
  symbolOf,
  tensorRange,
} from "./naive-codec.mjs";
import { decodeEntropy, encodeEntropy } from "./naive-entropy.mjs";
import { dealtChannels } from "./naive-interleaving.mjs";

/** `{ name, values }` of each stage of a canonical text. */
export function stagesOf(codec) {
  return codec.split(" | ").map((stage) => {
    const [name, list = ""] = stage.split(":");
    const values = Object.fromEntries(
      list
        .split(",")
        .filter((pair) => pair !== "")
        .map((pair) => pair.split("=")),
    );
    return { name, values, text: stage };
  });
}

/** Channels, rows and columns of a shape, and where an element stands in the tensor. */
function gridOf({ shape, layout }) {
  if (layout === "hwc") {
    const [rows, columns, channels] = shape;
    return { channels, rows, columns, place: (c, y, x) => (y * columns + x) * channels + c };
  }
  const columns = shape.at(-1) ?? 1;
  const rows = shape.at(-2) ?? 1;
  const channels = count(shape) / rows / columns;
  return { channels, rows, columns, place: (c, y, x) => (c * rows + y) * columns + x };
}

/** Rows that are coded as those of one channel (spec 5.8). */
function rowsOf(spec, interleave) {
  const { rows, columns } = gridOf(spec);
  return { rows: interleave === "checkerboard" ? rows / 2 : rows, columns };
}

/** Units in the order in which slices hold them: whole channels in another order, or every second row of them (spec 5.8). */
function dealtUnits(spec, units, interleave) {
  const { channels, rows, columns } = gridOf(spec);
  if (interleave === "checkerboard") {
    const row = (c, y) => units.slice((c * rows + y) * columns, (c * rows + y + 1) * columns);
    const all = (length) => Array.from({ length }, (_, i) => i);
    return [0, 1].flatMap((p) =>
      all(channels).flatMap((c) =>
        all(rows)
          .filter((y) => y % 2 === (p + c) % 2)
          .flatMap((y) => row(c, y)),
      ),
    );
  }
  const each = units.length / channels;
  return dealtChannels(interleave, channels).flatMap((c) => units.slice(c * each, (c + 1) * each));
}

/** Units in their order: for each the places of its elements in the tensor, by rows of `columns`. */
function unitsOf(spec, hasTile) {
  const grid = gridOf(spec);
  const all = (length, make) => Array.from({ length }, (_, i) => make(i));
  if (!hasTile) {
    const size = grid.rows * grid.columns;
    return all(count(spec.shape), (i) => {
      const [c, y] = [Math.floor(i / size), Math.floor((i % size) / grid.columns)];
      return { columns: 1, places: [grid.place(c, y, i % grid.columns)] };
    });
  }
  let across = Math.ceil(grid.columns / 128);
  const columns = across === 1 ? grid.columns : 8 * Math.ceil(grid.columns / (8 * across));
  const rows = grid.rows * columns <= 1024 ? grid.rows : 8 * Math.floor(1024 / (8 * columns));
  const down = Math.ceil(grid.rows / rows);
  across = Math.ceil(grid.columns / columns);
  const units = [];
  for (let c = 0; c < grid.channels; c++) {
    for (let b = 0; b < down * across; b++) {
      const [top, left] = [(b % down) * rows, Math.floor(b / down) * columns];
      const [bottom, right] = [Math.min(grid.rows, top + rows), Math.min(grid.columns, left + columns)];
      const places = [];
      for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) places.push(grid.place(c, y, x));
      units.push({ columns: right - left, places, block: { rows, columns, down } });
    }
  }
  return units;
}

/** Units of `transform`: blocks of each channel, of `height` x `width`. */
function transformUnits(spec, side) {
  const grid = gridOf(spec);
  const units = [];
  for (let c = 0; c < grid.channels; c++) {
    for (let top = 0; top < grid.rows; top += side) {
      for (let left = 0; left < grid.columns; left += side) {
        const [height, width] = [Math.min(side, grid.rows - top), Math.min(side, grid.columns - left)];
        const places = [];
        for (let y = 0; y < height; y++)
          for (let x = 0; x < width; x++) places.push(grid.place(c, top + y, left + x));
        units.push({ height, width, places });
      }
    }
  }
  return units;
}

/** Elements of blocks from their coefficients (spec 6.13), unit by unit. */
function elementsOf(units, coefficients) {
  const wave = (k, i, n) => Math.sqrt((k === 0 ? 1 : 2) / n) * Math.cos((Math.PI * (i + 0.5) * k) / n);
  let from = 0;
  return units.flatMap(({ height, width, places }) => {
    const own = coefficients.slice(from, from + places.length);
    from += places.length;
    return places.map((_, i) => {
      const [y, x] = [Math.floor(i / width), i % width];
      return own.reduce(
        (sum, value, at) =>
          sum + value * wave(Math.floor(at / width), y, height) * wave(at % width, x, width),
        0,
      );
    });
  });
}

/** Where each element of some units stands in their plane, and the plane's size. */
function planeOf(units, shape) {
  const { rows, columns, down } = units[0].block;
  const wanted = shape === "wide" ? down : Math.floor(Math.sqrt((units.length * columns) / rows));
  let d = Math.min(units.length, Math.max(1, wanted));
  if (d >= down) d -= d % down;
  const spots = [];
  let height = 8;
  for (const [u, unit] of units.entries()) {
    const above = units
      .slice(u - (u % d), u)
      .reduce((sum, other) => sum + other.places.length / other.columns, 0);
    for (let i = 0; i < unit.places.length; i++) {
      const x = Math.floor(u / d) * columns + (i % unit.columns);
      const y = above + Math.floor(i / unit.columns);
      height = Math.max(height, y + 1);
      spots.push([x, y]);
    }
  }
  const one = units.length === 1 ? units[0].columns : Math.ceil(units.length / d) * columns;
  return { spots, width: Math.max(8, one), height };
}

/** The symbols of a slice, from a payload (or a plane that was decoded from it); `undefined` where it is refused. */
function symbolsOf({ spec, codec, side, interleave }, slice, units, first, payload) {
  const levels = levelsOf(codec);
  const tile = stagesOf(codec).find(({ name }) => name === "tile");
  if (!tile) {
    const elements = units.reduce((sum, { places }) => sum + places.length, 0);
    return decodeEntropy(payload, elements, first, entropyGrid(spec, side, interleave), levels);
  }
  if (!slice.plane) return undefined;
  const { spots, width, height } = planeOf(units, tile.values.shape);
  if (slice.plane.width !== width || slice.plane.height !== height)
    throw new Error(`${codec}: the plane is ${width} x ${height}`);
  const samples = [...Buffer.from(slice.plane.samples, "hex")];
  return spots.map(([x, y]) => Math.floor((samples[y * width + x] * (levels - 1)) / 255 + 0.5));
}

/** Rows and columns that `entropy` sees; `side` of the blocks of `transform`, where it is there. */
function entropyGrid(spec, side, interleave) {
  if (side === undefined) return rowsOf(spec, interleave);
  return { rows: Math.ceil(count(spec.shape) / side ** 2), columns: side ** 2 };
}

function levelsOf(codec) {
  const { name, values } = stagesOf(codec).find((stage) => stage.name !== "transform");
  return name === "integers" ? 256 : Number(values.levels);
}

/**
 * Adds what an earlier frame has to what is left of symbols (spec 6.12).
 * @param frames symbols of earlier frames by their numbers, each by the place in the order of the units
 * @returns `undefined` where the slice is refused
 */
function addEarlier(left, distance, memory, levels, { frames, frame, first, units }) {
  if (distance === 0) return left;
  const earlier = frames.get(frame - distance);
  const isWhole = earlier !== undefined && earlier.filter((symbol) => symbol !== undefined).length === units;
  if (distance > memory || !isWhole) return undefined;
  const half = Math.floor(levels / 2);
  return left.map((symbol, i) => (symbol + earlier[first + i] - half + levels) % levels);
}

/** What a receiver makes of slices, concealed by `zero`: as `receive` of naive-codec.mjs. */
export function receiveChain(input) {
  const { slices, before = [], frame = 0 } = input;
  const frames = new Map();
  for (const earlier of before) takeFrame(input, frames, earlier.frame, earlier.slices);
  return takeFrame(input, frames, frame, slices);
}

function takeFrame({ spec, codec, interleave = "" }, frames, frame, slices) {
  const stages = stagesOf(codec);
  const isQuantized = stages.some(({ name }) => name === "quantize");
  const predict = stages.find(({ name }) => name === "predict");
  const hasTile = stages.some(({ name }) => name === "tile");
  const block = stages.find(({ name }) => name === "transform")?.values.block;
  const inOrder = block ? transformUnits(spec, Number(block)) : unitsOf(spec, hasTile);
  const units = dealtUnits(spec, inOrder, interleave);
  const ofEntropy = { spec, codec, side: block && Number(block), interleave };
  const cells = new Array(count(spec.shape)).fill(undefined);
  const refused = [];
  const known = [];
  frames.set(frame, known);
  for (const [at, slice] of slices.entries()) {
    const [first, end] = slice.range ?? sliceRange(slice.index, slice.count, units.length);
    const own = units.slice(first, end);
    const elementsBefore = hasTile
      ? first
      : units.slice(0, first).reduce((sum, { places }) => sum + places.length, 0);
    const head = isQuantized ? slice.payload.slice(0, 16) : "";
    const side = predict ? slice.payload.slice(head.length, head.length + 2) : "";
    const bytes = slice.payload.slice(head.length + side.length);
    const left = predict && side === "" ? undefined : symbolsOf(ofEntropy, slice, own, elementsBefore, bytes);
    const where = { frames, frame, first: elementsBefore, units: count(spec.shape) };
    const symbols =
      predict && left !== undefined
        ? addEarlier(left, Number.parseInt(side, 16), Number(predict.values.memory), levelsOf(codec), where)
        : left;
    if (symbols === undefined) {
      refused.push(at);
      continue;
    }
    for (const [i, symbol] of symbols.entries()) known[elementsBefore + i] = symbol;
    const [low, step] = isQuantized ? readElements("float32", head) : [spec.dtype === "int8" ? -128 : 0, 1];
    const places = own.flatMap((unit) => unit.places);
    const values = symbols.map((symbol) => low + symbol * step);
    const restored = block ? elementsOf(own, values.map(Math.fround)) : values;
    for (const [i, value] of restored.entries()) cells[places[i]] = elementHex(spec.dtype, value);
  }
  const missing = [];
  for (const [i, cell] of cells.entries()) {
    if (cell !== undefined) continue;
    if (missing.at(-1)?.[1] === i) missing.at(-1)[1]++;
    else missing.push([i, i + 1]);
  }
  return { refused, missing, data: cells.map((cell) => cell ?? elementHex(spec.dtype, 0)).join("") };
}

/** The payload of a slice of `transform | quantize | entropy`, of given symbols of all elements in the order of the units. */
export function encodeTransformed({ spec, codec, interleave = "", low, step, symbols, index, count: of }) {
  const side = Number(stagesOf(codec)[0].values.block);
  const units = dealtUnits(spec, transformUnits(spec, side), interleave);
  const [first, end] = sliceRange(index, of, units.length);
  const elements = (some) => some.reduce((sum, { places }) => sum + places.length, 0);
  const from = elements(units.slice(0, first));
  const own = symbols.slice(from, from + elements(units.slice(first, end)));
  const head = [low, step].map((value) => elementHex("float32", value)).join("");
  return head + encodeEntropy(own, from, entropyGrid(spec, side, interleave), levelsOf(codec));
}

/**
 * The payload of a slice of a chain that ends with `entropy`.
 * @param earlier `{ distance, data }` of the frame that it is predicted from, of the same range
 */
export function encodeChain({ spec, codec, interleave = "", data, index, count: of, range: asked }, earlier) {
  const [stage] = stagesOf(codec);
  const levels = levelsOf(codec);
  const values = readElements(spec.dtype, data).map(Math.fround);
  const range = stage.name === "quantize" ? tensorRange(values, parameters(stage.text)) : undefined;
  const [first, end] = asked ?? sliceRange(index, of, values.length);
  const symbolsFrom = (from) =>
    dealtUnits(spec, unitsOf(spec, false), interleave)
      .slice(first, end)
      .map(({ places: [place] }) =>
        range ? symbolOf(from[place], range, levels) : from[place] + (spec.dtype === "int8" ? 128 : 0),
      );
  const own = symbolsFrom(values);
  const before = earlier && symbolsFrom(readElements(spec.dtype, earlier.data).map(Math.fround));
  const half = Math.floor(levels / 2);
  const symbols = before ? own.map((symbol, i) => (symbol - before[i] + half + levels) % levels) : own;
  const head = range ? [range.low, range.step].map((value) => elementHex("float32", value)).join("") : "";
  const side = codec.includes("predict") ? elementHex("uint8", earlier?.distance ?? 0) : "";
  return head + side + encodeEntropy(symbols, first, rowsOf(spec, interleave), levels);
}
