import { type CutStatistics, TensorError, type TransformStatistics } from "@sluice/tensor";
import { type BlockGrid, blockArea } from "./block-grid.js";
import { invertMatrix } from "./invert-matrix.js";
import { createTransformKernel } from "./transform-kernel.js";

/** Turns one block of a tensor after the other into coefficients, or back. */
export interface BlockTransform {
  /** Of one block; see {@link BlockTransform.place}. */
  readonly coefficients: Float32Array;
  /** Of one block, elements less their means: element `position * pitch + channel`, positions by rows. */
  readonly samples: Float32Array;
  /** Elements from one position to the next. */
  readonly pitch: number;
  /** Where coefficient `band * channels + component` lies in {@link BlockTransform.coefficients}. */
  place(coefficient: number): number;
  /** Computes the coefficients of a block of a tensor. */
  analyse(values: Float32Array, block: number): void;
  /** Computes the elements of a block, and puts them into place in `values`. */
  synthesize(block: number, values: Float32Array): void;
  /** Computes the coefficients of the samples. */
  analyseSamples(): void;
  /** Computes the samples of the coefficients. */
  synthesizeSamples(): void;
}

/** Orthonormal DCT-II: frequency k at position i of `size`. */
export function dctMatrix(size: number): Float64Array {
  return Float64Array.from({ length: size * size }, (_, at) => {
    const k = Math.floor(at / size);
    const i = at % size;
    return Math.sqrt((k === 0 ? 1 : 2) / size) * Math.cos((Math.PI * (i + 0.5) * k) / size);
  });
}

interface ChannelMatrices {
  /** For each matrix, component and channel: what a coefficient adds to a channel. */
  readonly synthesis: Float32Array;
  /** The inverse: for each matrix, component and channel, what a channel adds to a coefficient. */
  readonly analysis: Float32Array;
}

/** @throws TensorError where a matrix has no inverse */
function channelMatrices({ matrices, gains }: TransformStatistics, channels: number): ChannelMatrices {
  const count = gains.length / channels;
  const area = channels * channels;
  const synthesis = new Float32Array(count * area);
  const analysis = new Float32Array(count * area);
  for (let m = 0; m < count; m++) {
    const across = new Float64Array(area);
    for (let k = 0; k < channels; k++) {
      for (let c = 0; c < channels; c++) {
        const weight = matrices[m * area + k * channels + c]!;
        const value = weight * gains[m * channels + k]!;
        synthesis[m * area + k * channels + c] = value;
        across[c * channels + k] = value;
      }
    }
    const inverse = invertMatrix(across, channels);
    if (!inverse) throw new TensorError("statistics.transform.matrices", `matrix ${m} has no inverse`);
    analysis.set(inverse, m * area);
  }
  return { synthesis, analysis };
}

/**
 * The transform of a cut (spec 6.11): less the mean element, a DCT of each channel of a block, then for each band the
 * components of the channels. Computed in float32.
 */
export function createBlockTransform(
  grid: BlockGrid,
  statistics: CutStatistics,
  transform: TransformStatistics,
): BlockTransform {
  const { channels, blockHeight, blockWidth, channelStride, rowStride, columnStride } = grid;
  const { matrixOfBand, gains } = transform;
  const isMixed = transform.matrices.length > 0;
  const kernel = createTransformKernel({
    ...{ channels, blockHeight, blockWidth },
    vertical: Float32Array.from(dctMatrix(blockHeight)),
    horizontal: Float32Array.from(dctMatrix(blockWidth)),
    mixing: isMixed ? { matrixOfBand, ...channelMatrices(transform, channels) } : undefined,
  });
  const { samples, coefficients, pitch } = kernel;
  const { low, high } = channelLimits(statistics, channels);
  const mean = statistics.meanElement;

  /** Where components are channels: coefficients in units of their gains, or back. */
  function scale(factors: Float32Array): void {
    for (const [band, matrix] of matrixOfBand.entries()) {
      for (let c = 0; c < channels; c++) {
        const at = band * pitch + c;
        coefficients[at] = coefficients[at]! * factors[matrix * channels + c]!;
      }
    }
  }
  const perGain = gains.map((gain) => 1 / gain);

  /** Elements less their means, those beyond the tensor's edge like the last within. */
  function gather(values: Float32Array, block: number): void {
    const { top, left, height, width } = blockArea(grid, block);
    const corner = top * rowStride + left * columnStride;
    for (let c = 0; c < channels; c++) {
      const bottom = low[c]!;
      const limit = high[c]!;
      for (let y = 0; y < blockHeight; y++) {
        let i = corner + c * channelStride + Math.min(y, height - 1) * rowStride;
        let to = y * blockWidth * pitch + c;
        for (let x = 0; x < blockWidth; x++, to += pitch) {
          const limited = Math.min(limit, Math.max(bottom, values[i]!));
          samples[to] = Number.isNaN(limited) ? 0 : limited - mean[i]!;
          if (x < width - 1) i += columnStride;
        }
      }
    }
  }

  function scatter(block: number, values: Float32Array): void {
    const { top, left, height, width } = blockArea(grid, block);
    const corner = top * rowStride + left * columnStride;
    for (let c = 0; c < channels; c++) {
      const bottom = low[c]!;
      const limit = high[c]!;
      for (let y = 0; y < height; y++) {
        let i = corner + c * channelStride + y * rowStride;
        let from = y * blockWidth * pitch + c;
        for (let x = 0; x < width; x++, from += pitch, i += columnStride) {
          values[i] = Math.min(limit, Math.max(bottom, samples[from]! + mean[i]!));
        }
      }
    }
  }

  function analyseSamples(): void {
    kernel.analyse();
    if (!isMixed) scale(perGain);
  }

  function synthesizeSamples(): void {
    if (!isMixed) scale(gains);
    kernel.synthesize();
  }

  return {
    ...{ coefficients, samples, pitch, analyseSamples, synthesizeSamples },
    place: (coefficient) => Math.floor(coefficient / channels) * pitch + (coefficient % channels),
    analyse(values, block) {
      gather(values, block);
      analyseSamples();
    },
    synthesize(block, values) {
      synthesizeSamples();
      scatter(block, values);
    },
  };
}

/** What elements are limited to before they are coded and after: the range that was seen, where it is known. */
function channelLimits(
  statistics: CutStatistics,
  channels: number,
): { low: Float32Array; high: Float32Array } {
  const { channelMinimum, channelMaximum, channelMean, channelDeviation } = statistics;
  const around = (sign: number): Float32Array =>
    Float32Array.from({ length: channels }, (_, c) => channelMean[c]! + sign * 1000 * channelDeviation[c]!);
  return { low: channelMinimum ?? around(-1), high: channelMaximum ?? around(1) };
}
