import { inverseStep, type LevelTable, nanSymbolOf, symbolOf } from "./level-table.js";
import { planeSize, type Tiling, tileOffset } from "./tiling.js";

/**
 * Calls `row` for each row of each channel: where its first element is in the tensor, how far the next one is from
 * it, and where it is in the plane.
 */
function forEachRow(
  tiling: Tiling,
  row: (channel: number, element: number, pitch: number, sample: number) => void,
): void {
  const { layout, channels, height, width } = tiling;
  const planeWidth = planeSize(tiling).width;
  for (let channel = 0; channel < channels; channel++) {
    const sample = tileOffset(tiling, channel);
    for (let y = 0; y < height; y++) {
      if (layout === "chw") row(channel, (channel * height + y) * width, 1, sample + y * planeWidth);
      else row(channel, y * width * channels + channel, channels, sample + y * planeWidth);
    }
  }
}

/** Sets the tiles that no channel fills to 0. */
export function clearUnused(tiling: Tiling, plane: Uint8Array): void {
  const { channels, height, columns } = tiling;
  const used = channels % columns;
  if (used === 0) return;
  const { width } = planeSize(tiling);
  const from = used * tiling.width;
  for (let end = plane.length, y = 0; y < height; y++, end -= width) {
    plane.fill(0, end - width + from, end);
  }
}

/** What the channel of a row is quantized with. */
interface Levels {
  readonly start: number;
  readonly inverse: number;
  readonly last: number;
  readonly nan: number;
}

/** A row of a tensor: its first element, how far the next one is, and how many there are. */
interface Row {
  readonly element: number;
  readonly pitch: number;
  readonly width: number;
}

function quantizeRow(
  { start, inverse, last, nan }: Levels,
  values: Float32Array,
  { element, pitch, width }: Row,
  plane: Uint8Array,
  sample: number,
): void {
  for (let x = 0, i = element; x < width; x++, i += pitch) {
    plane[sample + x] = symbolOf((values[i]! - start) * inverse + 0.5, last, nan);
  }
}

/** See TensorKernels.quantizeTiled. */
export function quantizeTiled(
  table: LevelTable,
  values: Float32Array,
  tiling: Tiling,
  plane: Uint8Array,
): void {
  const { width } = tiling;
  const last = table.levels - 1;
  const isShared = table.axis.channels === 1;
  forEachRow(tiling, (channel, element, pitch, sample) => {
    const own = isShared ? 0 : channel;
    const levels = {
      start: table.low[own]!,
      inverse: inverseStep(table, own),
      last,
      nan: nanSymbolOf(table, own),
    };
    quantizeRow(levels, values, { element, pitch, width }, plane, sample);
  });
  clearUnused(tiling, plane);
}

function dequantizeRow(
  start: number,
  step: number,
  plane: Uint8Array,
  sample: number,
  values: Float32Array,
  { element, pitch, width }: Row,
): void {
  for (let x = 0, i = element; x < width; x++, i += pitch) values[i] = start + plane[sample + x]! * step;
}

/** See TensorKernels.dequantizeTiled. */
export function dequantizeTiled(
  table: LevelTable,
  plane: Uint8Array,
  tiling: Tiling,
  values: Float32Array,
): void {
  const { width } = tiling;
  const isShared = table.axis.channels === 1;
  forEachRow(tiling, (channel, element, pitch, sample) => {
    const own = isShared ? 0 : channel;
    const row = { element, pitch, width };
    dequantizeRow(table.low[own]!, table.step[own]!, plane, sample, values, row);
  });
}

/** See TensorKernels.tile. */
export function tile(symbols: Uint8Array, tiling: Tiling, plane: Uint8Array): void {
  const { width } = tiling;
  forEachRow(tiling, (_, element, pitch, sample) => {
    for (let x = 0; x < width; x++, element += pitch) plane[sample + x] = symbols[element]!;
  });
  clearUnused(tiling, plane);
}

/** See TensorKernels.untile. */
export function untile(plane: Uint8Array, tiling: Tiling, symbols: Uint8Array): void {
  const { width } = tiling;
  forEachRow(tiling, (_, element, pitch, sample) => {
    for (let x = 0; x < width; x++, element += pitch) symbols[element] = plane[sample + x]!;
  });
}
