import type { Gap } from "./gap.js";
import type { ChannelRanges } from "./relax.js";

/** What each channel may be concealed with: what calibration saw, else what came now and in the
 * reference. Unbounded where neither is known. */
export function channelRanges({ values, missing, axis, statistics, reference }: Gap): ChannelRanges {
  if (statistics?.channelMinimum && statistics.channelMaximum) {
    return { lowest: statistics.channelMinimum, highest: statistics.channelMaximum };
  }
  const { channels, stride } = axis;
  const lowest = new Float32Array(channels).fill(Number.POSITIVE_INFINITY);
  const highest = new Float32Array(channels).fill(Number.NEGATIVE_INFINITY);
  for (let first = 0, channel = 0; first < values.length; first += stride) {
    let low = lowest[channel]!;
    let high = highest[channel]!;
    for (let i = first; i < first + stride; i++) {
      const value = values[i]!;
      if (missing[i] === 0 && value - value === 0) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
      const earlier = reference?.[i];
      if (earlier === undefined || earlier - earlier !== 0) continue;
      if (earlier < low) low = earlier;
      if (earlier > high) high = earlier;
    }
    lowest[channel] = low;
    highest[channel] = high;
    channel = channel + 1 === channels ? 0 : channel + 1;
  }
  for (let channel = 0; channel < channels; channel++) {
    if (lowest[channel]! <= highest[channel]!) continue;
    lowest[channel] = Number.NEGATIVE_INFINITY;
    highest[channel] = Number.POSITIVE_INFINITY;
  }
  return { lowest, highest };
}
