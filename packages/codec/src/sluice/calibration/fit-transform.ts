import { type CutStatistics, maxMixedChannels, type TransformStatistics } from "@sluice/tensor";
import type { BlockGrid } from "../block-grid.js";
import { createBlockTransform } from "../block-transform.js";
import { compose, eigensystem, multiply, trace } from "./symmetric-matrix.js";

/**
 * Importances are mixed with so much of their mean: what is measured on few images and for small errors must not let an
 * error grow without limit in any direction.
 */
const shrinkage = 0.5;

/** Any scale will do where all coefficients are wanted: they are then neither left out nor limited. */
const anyScale = 128;

/**
 * Covariances of the channels for each group of bands, each band weighted by its own share of the group.
 */
export function measureCovariances(
  grid: BlockGrid,
  statistics: CutStatistics,
  tensors: readonly Float32Array[],
  groupOfBand: Uint8Array,
): Float64Array[] {
  const { channels } = grid;
  const bands = grid.blockHeight * grid.blockWidth;
  const plain = createBlockTransform(grid, statistics, channelsAsComponents(grid, groupOfBand));
  const spectrum = plain.coefficients;
  const sums = Array.from(
    { length: 1 + Math.max(...groupOfBand) },
    () => new Float64Array(channels * channels),
  );
  const factor = 1 / (tensors.length * grid.blocks);
  for (const tensor of tensors) {
    for (let block = 0; block < grid.blocks; block++) {
      plain.analyse(tensor, block);
      for (let band = 0; band < bands; band++) {
        const sum = sums[groupOfBand[band]!]!;
        const from = plain.place(band * channels);
        for (let a = 0; a < channels; a++) {
          const left = spectrum[from + a]! * factor;
          for (let b = 0; b <= a; b++)
            sum[a * channels + b] = sum[a * channels + b]! + left * spectrum[from + b]!;
        }
      }
    }
  }
  for (const sum of sums) {
    for (let a = 0; a < channels; a++)
      for (let b = 0; b < a; b++) sum[b * channels + a] = sum[a * channels + b]!;
  }
  return sums;
}

/** A transform that is the DCT alone. */
function channelsAsComponents(grid: BlockGrid, groupOfBand: Uint8Array): TransformStatistics {
  const groups = 1 + Math.max(...groupOfBand);
  return {
    block: [grid.blockHeight, grid.blockWidth],
    matrixOfBand: groupOfBand,
    matrices: new Int8Array(0),
    gains: new Float32Array(groups * grid.channels).fill(1),
    scales: new Uint8Array(groupOfBand.length * grid.channels).fill(anyScale),
    coarseScales: new Uint8Array(groupOfBand.length * grid.channels).fill(anyScale),
  };
}

/**
 * The transform in whose coefficients errors of equal size cost about the same, and which are uncorrelated: with the
 * importance M and the covariance S of a group of bands, the eigenvectors of M^1/2 S M^1/2, applied to M^1/2 x.
 * @param importances for each group; see `measureImportance`
 */
export function fitTransform(
  grid: BlockGrid,
  groupOfBand: Uint8Array,
  importances: readonly Float64Array[],
  covariances: readonly Float64Array[],
): TransformStatistics {
  const { channels } = grid;
  const mean = importances.reduce((sum, m) => sum + trace(m, channels) / channels / importances.length, 0);
  const isMixed = channels > 1 && channels <= maxMixedChannels;
  const columns = importances.map((importance, group) => {
    const shrunk = shrink(importance, channels, mean);
    return isMixed
      ? mixedComponents(shrunk, covariances[group]!, channels)
      : diagonalComponents(shrunk, channels);
  });
  const gains = Float32Array.from(columns.flatMap((rows) => rows.map(largest)));
  const matrices = columns.flatMap((rows) =>
    rows.flatMap((row) => [...row.map((v) => Math.round(v / (largest(row) || 1)))]),
  );
  return {
    ...channelsAsComponents(grid, groupOfBand),
    gains,
    matrices: isMixed ? Int8Array.from(matrices) : new Int8Array(0),
  };
}

/** What an entry of 1 stands for, so that the largest of a row is 127. */
function largest(row: Float64Array): number {
  return row.length === 1 ? Math.abs(row[0]!) : Math.max(...row.map(Math.abs)) / 127;
}

/** Relative to the mean of all groups, and never below a small part of it. */
function shrink(importance: Float64Array, size: number, mean: number): Float64Array {
  const scale = mean > 0 ? mean : 1;
  const own = Math.max(trace(importance, size) / size, scale / 1000);
  return importance.map((value, at) => {
    const isDiagonal = Math.floor(at / size) === at % size;
    return ((1 - shrinkage) * value + (isDiagonal ? shrinkage * own : 0)) / scale;
  });
}

/** For each component, what it adds to the channels. */
function mixedComponents(importance: Float64Array, covariance: Float64Array, size: number): Float64Array[] {
  const { values, vectors } = eigensystem(importance, size);
  const floor = Math.max(...values) * 1e-6;
  const root = compose(
    values.map((value) => Math.sqrt(Math.max(value, floor))),
    vectors,
  );
  const inverse = compose(
    values.map((value) => 1 / Math.sqrt(Math.max(value, floor))),
    vectors,
  );
  const weighted = multiply(multiply(root, covariance, size), root, size);
  const components = multiply(eigensystem(weighted, size).vectors, inverse, size);
  return Array.from({ length: size }, (_, k) => components.slice(k * size, (k + 1) * size));
}

function diagonalComponents(importance: Float64Array, size: number): Float64Array[] {
  return Array.from({ length: size }, (_, c) => Float64Array.of(1 / Math.sqrt(importance[c * size + c]!)));
}
