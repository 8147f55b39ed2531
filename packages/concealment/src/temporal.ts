import type { PlaneGeometry } from "@sluice/tensor";
import type { Gap } from "./gap.js";

/** Rows and columns of the tiles that a tensor is compared with its reference in. */
const tileSide = 4;

/** A tensor without planes is one tile, in a row. */
const asRow = (elements: number): PlaneGeometry => ({
  ...{ channels: 1, height: 1, width: elements, axis: { channels: 1, stride: elements } },
  ...{ channelStep: elements, rowStep: elements, columnStep: 1 },
});

interface TileSums {
  readonly rows: number;
  readonly columns: number;
  /** Of products of what came with the reference, and of the reference with itself; both less the mean. */
  readonly products: Float64Array;
  readonly squares: Float64Array;
}

function sumTiles(
  { values, missing, statistics }: Gap,
  geometry: PlaneGeometry,
  tileSide: number,
  means: Float32Array,
  reference: Float32Array,
): TileSums {
  const { channels, height, width, channelStep, rowStep, columnStep } = geometry;
  const rows = Math.ceil(height / tileSide);
  const columns = Math.ceil(width / tileSide);
  const products = new Float64Array(rows * columns);
  const squares = new Float64Array(rows * columns);
  for (let channel = 0; channel < channels; channel++) {
    const deviation = statistics?.channelDeviation[channel] ?? 1;
    if (!(deviation > 0)) continue;
    // Else the channels with large values would decide alone.
    const weight = 1 / (deviation * deviation);
    for (let y = 0; y < height; y++) {
      let element = channel * channelStep + y * rowStep;
      const row = Math.floor(y / tileSide) * columns;
      for (let x = 0; x < width; x++, element += columnStep) {
        if (missing[element] !== 0) continue;
        const expected = reference[element]! - means[element]!;
        const product = expected * (values[element]! - means[element]!);
        if (product - product !== 0) continue;
        const tile = row + ((x / tileSide) | 0);
        products[tile] = products[tile]! + weight * product;
        squares[tile] = squares[tile]! + weight * expected * expected;
      }
    }
  }
  return { rows, columns, products, squares };
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
 */
export function temporalBaseline(gap: Gap, means: Float32Array, reference: Float32Array): Float32Array {
  const geometry = gap.geometry ?? asRow(means.length);
  const side = gap.geometry ? tileSide : means.length;
  const { height, width, channels, channelStep, rowStep, columnStep } = geometry;
  const sums = sumTiles(gap, geometry, side, means, reference);
  const gains = tileGains(sums);
  const baseline = new Float32Array(means.length);
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < height; y++) {
      let element = channel * channelStep + y * rowStep;
      const row = Math.floor(y / side) * sums.columns;
      for (let x = 0; x < width; x++, element += columnStep) {
        const mean = means[element]!;
        const expected = mean + gains[row + ((x / side) | 0)]! * (reference[element]! - mean);
        // A reference with a NaN or an infinity says nothing there.
        baseline[element] = expected - expected === 0 ? expected : mean;
      }
    }
  }
  return baseline;
}
