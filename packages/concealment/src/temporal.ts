import type { PlaneGeometry } from "@sluice/tensor";
import type { Gap } from "./gap.js";

/** Rows and columns of the tiles that a tensor is compared with its reference in. */
const tileSide = 4;

/** The sums of tiles, in rows. */
interface TileSums {
  readonly rows: number;
  readonly columns: number;
  /** Of products of what came with the reference, and of the reference with itself; both less the mean. */
  readonly products: Float64Array;
  readonly squares: Float64Array;
}

function createTileSums(rows: number, columns: number): TileSums {
  return {
    rows,
    columns,
    products: new Float64Array(rows * columns),
    squares: new Float64Array(rows * columns),
  };
}

/** What a tensor is compared with. */
interface Expected {
  readonly means: Float32Array;
  readonly reference: Float32Array;
}

/** Adds the elements from `first` to `end`, `step` apart, to tiles of `tileStep` from `tile` on. */
function sumElements(
  { values, missing }: Gap,
  { means, reference }: Expected,
  first: number,
  end: number,
  step: number,
  { products, squares }: TileSums,
  tile: number,
  tileStep: number,
  weight: number,
): void {
  for (let i = first, at = tile; i < end; at++) {
    let product = products[at]!;
    let square = squares[at]!;
    for (const stop = Math.min(end, i + tileStep); i < stop; i += step) {
      if (missing[i] !== 0) continue;
      const mean = means[i]!;
      const expected = reference[i]! - mean;
      const both = expected * (values[i]! - mean);
      if (both - both !== 0) continue;
      product += weight * both;
      square += weight * expected * expected;
    }
    products[at] = product;
    squares[at] = square;
  }
}

/** Else the channels with large values would decide alone. */
function channelWeight({ statistics }: Gap, channel: number): number {
  const deviation = statistics?.channelDeviation[channel] ?? 1;
  return deviation > 0 ? 1 / (deviation * deviation) : 0;
}

function sumTiles(
  gap: Gap,
  { channels, height, width, channelStep, rowStep, columnStep }: PlaneGeometry,
  expected: Expected,
): TileSums {
  const sums = createTileSums(Math.ceil(height / tileSide), Math.ceil(width / tileSide));
  const tileStep = tileSide * columnStep;
  for (let channel = 0; channel < channels; channel++) {
    const weight = channelWeight(gap, channel);
    if (weight === 0) continue;
    for (let y = 0; y < height; y++) {
      const first = channel * channelStep + y * rowStep;
      const end = first + width * columnStep;
      const tile = Math.floor(y / tileSide) * sums.columns;
      sumElements(gap, expected, first, end, columnStep, sums, tile, tileStep, weight);
    }
  }
  return sums;
}

/** A tensor without planes is one tile. Elements are added from gap to gap: V8 makes more of short loops. */
function sumAll(gap: Gap, expected: Expected): TileSums {
  const sums = createTileSums(1, 1);
  const weight = channelWeight(gap, 0);
  if (weight === 0) return sums;
  const { gaps, values } = gap;
  for (let at = 0, from = 0; at < gaps.length; at++) {
    const to = gaps[at]!;
    sumRun(values, expected.means, expected.reference, from, to, weight, sums);
    from = to + 1;
  }
  return sums;
}

/** As {@link sumElements}, of elements that all came. */
function sumRun(
  values: Float32Array,
  means: Float32Array,
  reference: Float32Array,
  first: number,
  end: number,
  weight: number,
  { products, squares }: TileSums,
): void {
  let product = products[0]!;
  let square = squares[0]!;
  for (let i = first; i < end; i++) {
    const mean = means[i]!;
    const expected = reference[i]! - mean;
    const both = expected * (values[i]! - mean);
    if (both - both !== 0) continue;
    product += weight * both;
    square += weight * expected * expected;
  }
  products[0] = product;
  squares[0] = square;
}

/**
 * How much of the reference's deviation from the mean is still there, for each tile: 0 (another scene) to 1 (nothing
 * moved). Least squares over what came in the tile and, with half and a quarter of the weight, the tiles around it;
 * the whole tensor counts as much as one tile, which decides where nothing came.
 */
function tileGains({ rows, columns, products, squares }: TileSums): Float64Array {
  const tiles = rows * columns;
  let allProducts = 0;
  let allSquares = 0;
  for (let t = 0; t < tiles; t++) {
    allProducts += products[t]!;
    allSquares += squares[t]!;
  }
  const gains = new Float64Array(tiles);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let product = allProducts / tiles;
      let square = allSquares / tiles;
      for (let r = Math.max(0, row - 1); r <= Math.min(rows - 1, row + 1); r++) {
        for (let c = Math.max(0, column - 1); c <= Math.min(columns - 1, column + 1); c++) {
          const weight = (r === row ? 2 : 1) * (c === column ? 2 : 1);
          product += weight * products[r * columns + c]!;
          square += weight * squares[r * columns + c]!;
        }
      }
      gains[row * columns + column] = square > 0 ? Math.max(0, Math.min(1, product / square)) : 0;
    }
  }
  return gains;
}

/**
 * What a tensor is expected to be, from its mean and an earlier tensor: the mean plus so much of the earlier one's
 * deviation as what came confirms.
 * @param baseline filled; of a tensor without planes, which is one tile, at the missing elements only
 */
export function temporalBaseline(
  gap: Gap,
  means: Float32Array,
  reference: Float32Array,
  baseline: Float32Array,
): void {
  const { geometry, gaps } = gap;
  const expected = { means, reference };
  if (geometry) {
    const sums = sumTiles(gap, geometry, expected);
    fillTiles(geometry, sums.columns, tileGains(sums), expected, baseline);
    return;
  }
  const gain = tileGains(sumAll(gap, expected))[0]!;
  for (let at = 0; at < gaps.length - 1; at++) {
    const i = gaps[at]!;
    baseline[i] = expectation(means[i]!, reference[i]!, gain);
  }
}

/** A reference with a NaN or an infinity says nothing. */
function expectation(mean: number, reference: number, gain: number): number {
  const expected = mean + gain * (reference - mean);
  return expected - expected === 0 ? expected : mean;
}

function fillElements(
  { means, reference }: Expected,
  first: number,
  end: number,
  step: number,
  gains: Float64Array,
  tile: number,
  tileStep: number,
  baseline: Float32Array,
): void {
  for (let i = first, at = tile; i < end; at++) {
    const gain = gains[at]!;
    for (const stop = Math.min(end, i + tileStep); i < stop; i += step)
      baseline[i] = expectation(means[i]!, reference[i]!, gain);
  }
}

function fillTiles(
  { channels, height, width, channelStep, rowStep, columnStep }: PlaneGeometry,
  columns: number,
  gains: Float64Array,
  expected: Expected,
  baseline: Float32Array,
): void {
  const tileStep = tileSide * columnStep;
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < height; y++) {
      const first = channel * channelStep + y * rowStep;
      const end = first + width * columnStep;
      const tile = Math.floor(y / tileSide) * columns;
      fillElements(expected, first, end, columnStep, gains, tile, tileStep, baseline);
    }
  }
}
