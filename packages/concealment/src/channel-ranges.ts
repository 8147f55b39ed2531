import type { Gap } from "./gap.js";
import type { ChannelRanges } from "./relax.js";

/** What each channel may be concealed with: what calibration saw, else what came now and in the
 * reference. Unbounded where neither is known. */
export function channelRanges({ values, gaps, axis, statistics, reference }: Gap): ChannelRanges {
  if (statistics?.channelMinimum && statistics.channelMaximum) {
    return { lowest: statistics.channelMinimum, highest: statistics.channelMaximum };
  }
  const { channels, stride } = axis;
  const lowest = new Float32Array(channels).fill(Number.POSITIVE_INFINITY);
  const highest = new Float32Array(channels).fill(Number.NEGATIVE_INFINITY);
  const ranges = { lowest, highest };
  for (let first = 0, channel = 0, at = 0; first < values.length; first += stride) {
    const end = first + stride;
    for (let from = first; from < end; ) {
      const gap = gaps[at]!;
      const to = Math.min(gap, end);
      widen(ranges, channel, values, from, to);
      if (gap < end) at++;
      from = to + 1;
    }
    if (reference) widen(ranges, channel, reference, first, end);
    channel = channel + 1 === channels ? 0 : channel + 1;
  }
  for (let channel = 0; channel < channels; channel++) {
    if (lowest[channel]! <= highest[channel]!) continue;
    lowest[channel] = Number.NEGATIVE_INFINITY;
    highest[channel] = Number.POSITIVE_INFINITY;
  }
  return ranges;
}

/** Takes in finite values of a channel. */
function widen(
  { lowest, highest }: ChannelRanges,
  channel: number,
  values: Float32Array,
  from: number,
  to: number,
): void {
  let low = lowest[channel]!;
  let high = highest[channel]!;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    if (value < low && value !== Number.NEGATIVE_INFINITY) low = value;
    if (value > high && value !== Number.POSITIVE_INFINITY) high = value;
  }
  lowest[channel] = low;
  highest[channel] = high;
}
