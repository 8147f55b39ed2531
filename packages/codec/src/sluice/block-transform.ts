import { type CutStatistics, TensorError, type TransformStatistics } from "@sluice/tensor";
import { type BlockGrid, blockArea } from "./block-grid.js";
import { invertMatrix } from "./invert-matrix.js";

/** Turns blocks of a tensor into coefficients and back. Coefficient `band * channels + component` of a block. */
export interface BlockTransform {
  /**
   * @param wanted coefficients to be computed, in the order of the output
   * @param target gets one value for each
   */
  analyse(
    values: Float32Array,
    block: number,
    wanted: Uint32Array,
    count: number,
    target: Float64Array,
  ): void;
  /** @param coefficients values of the coefficients that `order` names; the block's elements go to `values` */
  synthesize(
    coefficients: Float32Array,
    first: number,
    order: Uint32Array,
    block: number,
    values: Float32Array,
  ): void;
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
 * The transform of a cut (spec 6.8): less the mean element, a DCT of each channel of a block, then for each band the
 * components of the channels. Computed in float64 but for matrices and results.
 */
export function createBlockTransform(
  grid: BlockGrid,
  statistics: CutStatistics,
  transform: TransformStatistics,
): BlockTransform {
  const { channels, blockHeight, blockWidth, channelStride, rowStride, columnStride } = grid;
  const { matrixOfBand, gains } = transform;
  const bands = blockHeight * blockWidth;
  const isMixed = transform.matrices.length > 0;
  const mixing = isMixed ? channelMatrices(transform, channels) : undefined;
  const vertical = dctMatrix(blockHeight);
  const horizontal = dctMatrix(blockWidth);
  const { low, high } = channelLimits(statistics, channels);
  const mean = statistics.meanElement;
  const samples = new Float64Array(bands * channels);
  const halfway = new Float64Array(bands * channels);
  const spectrum = new Float64Array(bands * channels);
  const isUsed = new Uint8Array(bands);

  /** Elements less their means, those beyond the tensor's edge like the last within. */
  function gather(values: Float32Array, block: number): void {
    const area = blockArea(grid, block);
    for (let y = 0; y < blockHeight; y++) {
      const row = (area.top + Math.min(y, area.height - 1)) * rowStride;
      for (let x = 0; x < blockWidth; x++) {
        const from = row + (area.left + Math.min(x, area.width - 1)) * columnStride;
        const to = (y * blockWidth + x) * channels;
        for (let c = 0, i = from; c < channels; c++, i += channelStride) {
          const value = values[i]!;
          const limited = value < low[c]! ? low[c]! : value > high[c]! ? high[c]! : value;
          // Only NaN is not itself.
          samples[to + c] = limited === limited ? limited - mean[i]! : 0;
        }
      }
    }
  }

  function scatter(block: number, values: Float32Array): void {
    const area = blockArea(grid, block);
    for (let y = 0; y < area.height; y++) {
      for (let x = 0; x < area.width; x++) {
        const to = (area.top + y) * rowStride + (area.left + x) * columnStride;
        const from = (y * blockWidth + x) * channels;
        for (let c = 0, i = to; c < channels; c++, i += channelStride) {
          const value = samples[from + c]! + mean[i]!;
          values[i] = value < low[c]! ? low[c]! : value > high[c]! ? high[c]! : value;
        }
      }
    }
  }

  function forwardDct(): void {
    halfway.fill(0);
    spectrum.fill(0);
    for (let y = 0; y < blockHeight; y++) {
      for (let f = 0; f < blockWidth; f++) {
        const to = (y * blockWidth + f) * channels;
        for (let x = 0; x < blockWidth; x++) {
          addScaled(samples, (y * blockWidth + x) * channels, horizontal[f * blockWidth + x]!, halfway, to, channels);
        }
      }
    }
    for (let g = 0; g < blockHeight; g++) {
      for (let y = 0; y < blockHeight; y++) {
        const length = blockWidth * channels;
        addScaled(halfway, y * length, vertical[g * blockHeight + y]!, spectrum, g * length, length);
      }
    }
  }

  function inverseDct(): void {
    halfway.fill(0);
    samples.fill(0);
    for (let g = 0; g < blockHeight; g++) {
      for (let f = 0; f < blockWidth; f++) {
        const band = g * blockWidth + f;
        if (isUsed[band] === 0) continue;
        for (let x = 0; x < blockWidth; x++) {
          const to = (g * blockWidth + x) * channels;
          addScaled(spectrum, band * channels, horizontal[f * blockWidth + x]!, halfway, to, channels);
        }
      }
    }
    const length = blockWidth * channels;
    for (let g = 0; g < blockHeight; g++) {
      if (!isUsed.subarray(g * blockWidth, (g + 1) * blockWidth).includes(1)) continue;
      for (let y = 0; y < blockHeight; y++) {
        addScaled(halfway, g * length, vertical[g * blockHeight + y]!, samples, y * length, length);
      }
    }
  }

  return {
    analyse(values, block, wanted, count, target) {
      gather(values, block);
      forwardDct();
      for (let j = 0; j < count; j++) {
        const coefficient = wanted[j]!;
        const band = Math.floor(coefficient / channels);
        const component = coefficient - band * channels;
        const matrix = matrixOfBand[band]!;
        const row = matrix * channels + component;
        target[j] = mixing
          ? product(mixing.analysis, row * channels, spectrum, band * channels, channels)
          : spectrum[coefficient]! / gains[row]!;
      }
    },
    synthesize(coefficients, first, order, block, values) {
      spectrum.fill(0);
      isUsed.fill(0);
      for (let j = 0; j < order.length; j++) {
        const value = coefficients[first + j]!;
        if (value === 0) continue;
        const coefficient = order[j]!;
        const band = Math.floor(coefficient / channels);
        const row = matrixOfBand[band]! * channels + coefficient - band * channels;
        isUsed[band] = 1;
        if (mixing) addScaled(mixing.synthesis, row * channels, value, spectrum, band * channels, channels);
        else spectrum[coefficient] = value * gains[row]!;
      }
      inverseDct();
      scatter(block, values);
    },
  };
}

function addScaled(
  source: Float32Array | Float64Array,
  from: number,
  factor: number,
  target: Float64Array,
  to: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) target[to + i] = target[to + i]! + factor * source[from + i]!;
}

function product(
  a: Float32Array,
  fromA: number,
  b: Float64Array,
  fromB: number,
  length: number,
): number {
  let even = 0;
  let odd = 0;
  let i = 0;
  for (; i + 1 < length; i += 2) {
    even += a[fromA + i]! * b[fromB + i]!;
    odd += a[fromA + i + 1]! * b[fromB + i + 1]!;
  }
  return i < length ? even + odd + a[fromA + i]! * b[fromB + i]! : even + odd;
}

/** What elements are limited to before they are coded and after: the range that was seen, where it is known. */
function channelLimits(statistics: CutStatistics, channels: number): { low: Float32Array; high: Float32Array } {
  const { channelMinimum, channelMaximum, channelMean, channelDeviation } = statistics;
  const around = (sign: number): Float32Array =>
    Float32Array.from({ length: channels }, (_, c) => channelMean[c]! + sign * 1000 * channelDeviation[c]!);
  return { low: channelMinimum ?? around(-1), high: channelMaximum ?? around(1) };
}
