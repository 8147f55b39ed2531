/** How the values of a tensor are distributed, over several tensors. */
export interface ValueDistribution {
  readonly count: number;
  readonly mean: number;
  /** Standard deviation, sigma. */
  readonly deviation: number;
  readonly min: number;
  readonly max: number;
  /** Share of the values within three standard deviations of the mean, 0..1: what a quantizer with clip=3 keeps. */
  readonly within3Sigma: number;
  /** Values in bins of equal width over mean - 4 sigma to mean + 4 sigma; those beyond are in the outermost. */
  readonly histogram: readonly number[];
}

/** Bins of a histogram. */
export const histogramBins = 32;

/** Measures all values of some tensors; walks over them twice. */
export function measureDistribution(tensors: readonly ArrayLike<number>[]): ValueDistribution {
  let count = 0;
  let mean = 0;
  let squares = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const values of tensors) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      count++;
      // Welford's update: sums of squares of large values would lose their differences.
      const difference = value - mean;
      mean += difference / count;
      squares += difference * (value - mean);
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  const deviation = count === 0 ? 0 : Math.sqrt(squares / count);
  const histogram = new Array<number>(histogramBins).fill(0);
  let within = 0;
  for (const values of tensors) {
    for (let i = 0; i < values.length; i++) {
      const sigmas = deviation === 0 ? 0 : (values[i]! - mean) / deviation;
      if (Math.abs(sigmas) <= 3) within++;
      const bin = Math.floor(((sigmas + 4) / 8) * histogramBins);
      histogram[Math.min(histogramBins - 1, Math.max(0, bin))]!++;
    }
  }
  return { count, mean, deviation, min, max, within3Sigma: count === 0 ? 1 : within / count, histogram };
}
