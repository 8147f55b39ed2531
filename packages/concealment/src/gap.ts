import type { ChannelAxis, CutStatistics, PlaneGeometry } from "@sluice/tensor";

/** A tensor with a gap: what the methods work on. */
export interface Gap {
  /** All elements as float32, filled in place; what is missing holds anything. */
  readonly values: Float32Array;
  /** For each element: 0 where it came. */
  readonly missing: Uint8Array;
  readonly axis: ChannelAxis;
  /** `undefined` where the layout names no planes. */
  readonly geometry: PlaneGeometry | undefined;
  readonly statistics: CutStatistics | undefined;
  /** The elements of an earlier tensor, moved to where they are expected now. */
  readonly reference: Float32Array | undefined;
}

/** What came of each channel. NaN and infinities, which a raw slice may carry, do not count. */
export interface ChannelSums {
  readonly sums: Float64Array;
  readonly counts: Uint32Array;
}

export function sumChannels({ values, missing, axis }: Gap): ChannelSums {
  const { channels, stride } = axis;
  const sums = new Float64Array(channels);
  const counts = new Uint32Array(channels);
  for (let first = 0, channel = 0; first < values.length; first += stride) {
    const end = first + stride;
    let sum = 0;
    let count = 0;
    for (let i = first; i < end; i++) {
      const value = values[i]!;
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

/**
 * The mean of what came of each channel, in float32. Where nothing came: the statistics' mean of the channel, without
 * them the mean of all that came, else 0.
 */
export function channelMeans(gap: Gap): Float32Array {
  const { sums, counts } = sumChannels(gap);
  let allCount = 0;
  let allSum = 0;
  for (let channel = 0; channel < counts.length; channel++) {
    allCount += counts[channel]!;
    allSum += sums[channel]!;
  }
  const meanOfAll = allCount === 0 ? 0 : allSum / allCount;
  return Float32Array.from(sums, (sum, channel) => {
    const count = counts[channel]!;
    return count > 0 ? sum / count : (gap.statistics?.channelMean[channel] ?? meanOfAll);
  });
}

/** Fills each missing element with the value of its channel. */
export function fillByChannel({ values, missing, axis }: Gap, byChannel: Float32Array): void {
  const { channels, stride } = axis;
  for (let first = 0, channel = 0; first < values.length; first += stride) {
    const end = first + stride;
    const value = byChannel[channel]!;
    for (let i = first; i < end; i++) if (missing[i] !== 0) values[i] = value;
    channel = channel + 1 === channels ? 0 : channel + 1;
  }
}

/** Fills each missing element with the one of `source`. */
export function fillFrom({ values, missing }: Gap, source: Float32Array): void {
  for (let i = 0; i < values.length; i++) if (missing[i] !== 0) values[i] = source[i]!;
}
