import {
  type ChannelAxis,
  type CutStatistics,
  type LevelTable,
  type Moments,
  type Symbols,
  TensorError,
  tensorKernels,
} from "@sluice/tensor";

/**
 * A uniform quantizer for each channel of a tensor (or one for all): symbol q stands for `low + q * step`, added in
 * float64 and rounded to float32. NaN becomes the symbol nearest to the mean.
 */
export type Quantizer = LevelTable;

/** Levels lie within this, so that neither a level nor a step overflows float32. */
const largestLevel = 1.5e38;

export function createQuantizer(levels: number, axis: ChannelAxis): Quantizer {
  return {
    levels,
    axis,
    low: new Float32Array(axis.channels),
    step: new Float32Array(axis.channels),
    nanSymbol: new Uint16Array(axis.channels),
  };
}

/**
 * Sets the quantizer of a channel: from mean - clip * deviation to mean + clip * deviation, but never beyond the
 * range of the values. Activations behind a ReLU so have a level at exactly 0 and none below.
 */
export function setChannel(quantizer: Quantizer, channel: number, moments: Moments, clip: number): void {
  const { mean, deviation, minimum, maximum } = moments;
  const bounded = (value: number): number => Math.min(largestLevel, Math.max(-largestLevel, value));
  const low = Math.fround(bounded(Math.max(mean - clip * deviation, minimum)));
  const high = bounded(Math.min(mean + clip * deviation, maximum));
  const step = Math.fround(Math.max(0, high - low) / (quantizer.levels - 1));
  quantizer.low[channel] = low;
  quantizer.step[channel] = step;
  const nearest = step > 0 ? Math.round((mean - low) / step) : 0;
  quantizer.nanSymbol[channel] = Math.min(quantizer.levels - 1, Math.max(0, nearest));
}

/** How much wider than what a tensor needs a range may be, and what is added at an end that was too near. */
const mostWidth = 1.25;
const spare = 1 / 16;

/**
 * Keeps the range of an earlier tensor as long as it holds that of this one and is not much wider, so that symbols mean the
 * same; else widens the end that is not enough, for what is to come.
 * @param earlier lowest level and step
 * @returns whether it was kept
 */
export function holdRange(
  quantizer: Quantizer,
  earlier: { low: number; step: number },
  mean: number,
): boolean {
  const [low, step] = [quantizer.low[0]!, quantizer.step[0]!];
  const width = step * (quantizer.levels - 1);
  const earlierWidth = earlier.step * (quantizer.levels - 1);
  const isLowEnough = earlier.low <= low;
  const isHighEnough = earlier.low + earlierWidth >= low + width;
  const isHeld = isLowEnough && isHighEnough && earlierWidth <= mostWidth * width;
  const down = isLowEnough ? 0 : spare * width;
  const up = isHighEnough ? 0 : spare * width;
  quantizer.low[0] = isHeld ? earlier.low : low - down;
  quantizer.step[0] = isHeld ? earlier.step : (width + down + up) / (quantizer.levels - 1);
  const nearest = step > 0 ? Math.round((mean - quantizer.low[0]!) / quantizer.step[0]!) : 0;
  quantizer.nanSymbol[0] = Math.min(quantizer.levels - 1, Math.max(0, nearest));
  return isHeld;
}

/** Moves the levels, a little further apart, so that one of them is 0, where the range has it: most coefficients become that. */
export function meetZero(quantizer: Quantizer): void {
  const [low, step, last] = [quantizer.low[0]!, quantizer.step[0]!, quantizer.levels - 1];
  if (!(low < 0 && low + step * last > 0) || last < 2) return;
  const wider = Math.fround((step * last) / (last - 1));
  quantizer.step[0] = wider;
  quantizer.low[0] = -wider * Math.ceil(-low / wider);
}

/**
 * Sets every channel from statistics that both ends hold.
 * @throws TensorError naming the array that is of another length than the channels or not finite.
 */
export function setChannels(quantizer: Quantizer, statistics: CutStatistics, clip: number): void {
  const { channels } = quantizer.axis;
  const arrays = {
    channelMean: statistics.channelMean,
    channelDeviation: statistics.channelDeviation,
    channelMinimum: statistics.channelMinimum,
    channelMaximum: statistics.channelMaximum,
  };
  for (const [field, array] of Object.entries(arrays)) {
    if (array === undefined) continue;
    if (array.length !== channels) {
      throw new TensorError(`statistics.${field}`, `of ${array.length} channels, the tensor has ${channels}`);
    }
    if (!array.every(Number.isFinite)) throw new TensorError(`statistics.${field}`, "must be finite");
  }
  for (let channel = 0; channel < channels; channel++) {
    const mean = statistics.channelMean[channel]!;
    const moments: Moments = {
      count: statistics.samples,
      mean,
      deviation: Math.abs(statistics.channelDeviation[channel]!),
      // A stored mean was rounded and may lie outside of the range by an ulp.
      minimum: Math.min(mean, statistics.channelMinimum?.[channel] ?? -largestLevel),
      maximum: Math.max(mean, statistics.channelMaximum?.[channel] ?? largestLevel),
    };
    setChannel(quantizer, channel, moments, clip);
  }
}

/** Whether every level of a channel is a finite float32: false for what only a broken or hostile peer sends. */
export function isSane(quantizer: Quantizer, channel: number): boolean {
  const low = quantizer.low[channel]!;
  const step = quantizer.step[channel]!;
  return (
    Number.isFinite(low) && step >= 0 && Number.isFinite(Math.fround(low + step * (quantizer.levels - 1)))
  );
}

/** Symbols of `values`, which are the elements of a tensor from `first`: see `TensorKernels.quantize`. */
export function quantize(quantizer: Quantizer, values: Float32Array, first: number, symbols: Symbols): void {
  tensorKernels().quantize(quantizer, values, first, symbols);
}

/** The values that `symbols` stand for, which are the elements of a tensor from `first`. */
export function dequantize(
  quantizer: Quantizer,
  symbols: Symbols,
  first: number,
  values: Float32Array,
): void {
  tensorKernels().dequantize(quantizer, symbols, first, values);
}
