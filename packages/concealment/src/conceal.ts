import {
  type ChannelAxis,
  type CutStatistics,
  channelAxis,
  readFloat32,
  type Tensor,
  TensorError,
  writeFloat32,
} from "@sluice/tensor";
import type { ConcealmentMethod } from "./concealment-method.js";

export interface ConcealmentOptions {
  /** What calibration knows of the cut; needed by `data-set-mean`, a fallback for `channel-mean`. */
  readonly statistics?: CutStatistics;
}

interface Gathered {
  /** Of the finite elements that came, for each channel. */
  readonly sums: Float64Array;
  readonly counts: Uint32Array;
}

function gather(values: Float32Array, missing: Uint8Array, { channels, stride }: ChannelAxis): Gathered {
  const sums = new Float64Array(channels);
  const counts = new Uint32Array(channels);
  for (let first = 0, channel = 0; first < values.length; first += stride) {
    const end = first + stride;
    let sum = 0;
    let count = 0;
    for (let i = first; i < end; i++) {
      const value = values[i]!;
      // A raw slice may carry a NaN or an infinity; one of them must not spread over its channel.
      if (missing[i] === 0 && value - value === 0) {
        sum += value;
        count++;
      }
    }
    sums[channel] = sums[channel]! + sum;
    counts[channel] = counts[channel]! + count;
    channel = channel + 1 === channels ? 0 : channel + 1;
  }
  return { sums, counts };
}

function channelMeans({ sums, counts }: Gathered, statistics: CutStatistics | undefined): Float32Array {
  let allCount = 0;
  let allSum = 0;
  for (let channel = 0; channel < counts.length; channel++) {
    allCount += counts[channel]!;
    allSum += sums[channel]!;
  }
  const meanOfAll = allCount === 0 ? 0 : allSum / allCount;
  return Float32Array.from(sums, (sum, channel) => {
    const count = counts[channel]!;
    return count > 0 ? sum / count : (statistics?.channelMean[channel] ?? meanOfAll);
  });
}

function fillChannelMean(
  values: Float32Array,
  missing: Uint8Array,
  axis: ChannelAxis,
  statistics: CutStatistics | undefined,
): void {
  const means = channelMeans(gather(values, missing, axis), statistics);
  const { channels, stride } = axis;
  for (let first = 0, channel = 0; first < values.length; first += stride) {
    const end = first + stride;
    const mean = means[channel]!;
    for (let i = first; i < end; i++) if (missing[i] !== 0) values[i] = mean;
    channel = channel + 1 === channels ? 0 : channel + 1;
  }
}

function checkStatistics(statistics: CutStatistics, elements: number, channels: number): void {
  if (statistics.meanElement.length !== elements) {
    const { length } = statistics.meanElement;
    throw new TensorError("statistics.meanElement", `${length} elements, the tensor has ${elements}`);
  }
  if (statistics.channelMean.length !== channels) {
    const { length } = statistics.channelMean;
    throw new TensorError("statistics.channelMean", `of ${length} channels, the tensor has ${channels}`);
  }
}

function fill(
  values: Float32Array,
  missing: Uint8Array,
  axis: ChannelAxis,
  method: ConcealmentMethod,
  statistics: CutStatistics | undefined,
): void {
  switch (method) {
    case "zero":
      for (let i = 0; i < values.length; i++) if (missing[i] !== 0) values[i] = 0;
      return;
    case "channel-mean":
      fillChannelMean(values, missing, axis, statistics);
      return;
    case "data-set-mean": {
      if (statistics === undefined) {
        throw new TensorError("statistics", "data-set-mean needs the statistics of the cut");
      }
      const { meanElement } = statistics;
      for (let i = 0; i < values.length; i++) if (missing[i] !== 0) values[i] = meanElement[i]!;
      return;
    }
  }
}

/**
 * Fills the missing elements of a tensor in place, by the methods of Ulhaq & Bajic, "Shared mobile-cloud inference
 * for collaborative intelligence" (they found i.i.d. losses of 5, 10 and 20 % to cost 0.2, 2 and 5 % accuracy):
 *
 * - `zero`: with 0.
 * - `channel-mean`: with the mean of what came of the same channel of this tensor. Of a channel of which nothing came,
 *   with the statistics' mean of the channel if they are given, else with the mean of all that came, else with 0.
 * - `data-set-mean`: with the element's own mean over a data set, from the statistics.
 *
 * NaN and infinities that came stay where they are and count for no mean. Means are rounded and clamped for integers.
 *
 * @param missing one entry for each element: 0 where it came, anything else where it is missing.
 * @throws TensorError if the mask or the statistics are of another size than the tensor, or are wanted and not given.
 */
export function conceal(
  tensor: Tensor,
  missing: Uint8Array,
  method: ConcealmentMethod,
  options: ConcealmentOptions = {},
): void {
  const elements = tensor.data.length;
  const { statistics } = options;
  if (missing.length !== elements) {
    throw new TensorError("missing", `${missing.length} elements, the tensor has ${elements}`);
  }
  const axis = channelAxis(tensor.shape, tensor.layout);
  if (statistics !== undefined) checkStatistics(statistics, elements, axis.channels);
  if (tensor.data instanceof Float32Array) {
    fill(tensor.data, missing, axis, method, statistics);
    return;
  }
  const original = tensor.data.slice();
  const values = readFloat32(tensor, 0, elements, new Float32Array(elements));
  fill(values, missing, axis, method, statistics);
  writeFloat32(tensor, 0, values);
  // What came stays as it was, bit for bit: an int32 does not survive the way through float32.
  for (let i = 0; i < elements; i++) if (missing[i] === 0) tensor.data[i] = original[i]!;
}
