import { channelIndex } from "@sluice/tensor";
import { channelMeans, type Gap } from "./gap.js";

/** The data set's mean of each element, moved so that the channel has the mean of what came of it. */
export function fillHybrid(gap: Gap, meanElement: Float32Array): void {
  const { values, gaps, axis } = gap;
  const perChannel = values.length / axis.channels;
  const sums = new Float64Array(axis.channels);
  for (let i = 0; i < values.length; i++) {
    const channel = channelIndex(axis, i);
    sums[channel] = sums[channel]! + meanElement[i]!;
  }
  const shifts = channelMeans(gap).map((mean, channel) => mean - sums[channel]! / perChannel);
  for (let at = 0; at < gaps.length - 1; at++) {
    const i = gaps[at]!;
    values[i] = meanElement[i]! + shifts[channelIndex(axis, i)]!;
  }
}
