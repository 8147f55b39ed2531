import { type ChannelAxis, type CutStatistics, type Moments, TensorError } from "@sluice/tensor";

/**
 * A uniform quantizer for each channel of a tensor (or one for all): symbol q stands for `low + q * step`, added in
 * float64 and rounded to float32.
 */
export interface Quantizer {
  readonly levels: number;
  readonly axis: ChannelAxis;
  /** For each channel, float32 values: the lowest level, and from one level to the next (0: only one value). */
  readonly low: Float32Array;
  readonly step: Float32Array;
  /** For each channel: what NaN becomes, the symbol nearest to the mean. */
  readonly nanSymbol: Uint16Array;
}

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

/**
 * Symbols of `values`, which are the elements of a tensor from `first`: the nearest level, halves upwards;
 * out of range and infinite values go to the first or last level, NaN to the one nearest to the mean.
 */
export function quantize(
  quantizer: Quantizer,
  values: Float32Array,
  first: number,
  symbols: Uint16Array,
): void {
  const { levels, low, step, nanSymbol } = quantizer;
  const { channels, stride } = quantizer.axis;
  let channel = Math.floor(first / stride) % channels;
  let runEnd = stride - (first % stride);
  for (let i = 0; i < values.length; ) {
    const end = Math.min(runEnd, values.length);
    const start = low[channel]!;
    const inverse = step[channel]! > 0 ? 1 / step[channel]! : 0;
    const nan = nanSymbol[channel]!;
    for (; i < end; i++) {
      const level = (values[i]! - start) * inverse + 0.5;
      if (level >= 1) symbols[i] = level < levels ? level : levels - 1;
      else symbols[i] = level < 1 ? 0 : nan;
    }
    runEnd += stride;
    channel = channel + 1 === channels ? 0 : channel + 1;
  }
}

/** The values that `symbols` stand for, which are the elements of a tensor from `first`. */
export function dequantize(
  quantizer: Quantizer,
  symbols: Uint16Array,
  first: number,
  values: Float32Array,
): void {
  const { low, step } = quantizer;
  const { channels, stride } = quantizer.axis;
  let channel = Math.floor(first / stride) % channels;
  let runEnd = stride - (first % stride);
  for (let i = 0; i < values.length; ) {
    const end = Math.min(runEnd, values.length);
    const start = low[channel]!;
    const width = step[channel]!;
    for (; i < end; i++) values[i] = start + symbols[i]! * width;
    runEnd += stride;
    channel = channel + 1 === channels ? 0 : channel + 1;
  }
}
