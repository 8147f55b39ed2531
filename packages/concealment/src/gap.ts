import type { ChannelAxis, CutStatistics, PlaneGeometry } from "@sluice/tensor";
import { roomForGaps } from "./room.js";

/** A tensor with a gap: what the methods work on. */
export interface Gap {
  /** All elements as float32, filled in place; what is missing holds anything. */
  readonly values: Float32Array;
  /** For each element: 0 where it came. */
  readonly missing: Uint8Array;
  /** The missing elements, rising, and behind them the number of all elements: those between two of them came. */
  readonly gaps: Int32Array;
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

/** Elements that a loop takes at once: over more of them V8 would run what it makes of a loop that is under way. */
const elementsAtOnce = 1024;
/** Bytes of a mask that are looked at together. */
const wordBytes = 4;

/** See {@link Gap.gaps}; good until the next call. */
export function listGaps(missing: Uint8Array): Int32Array {
  const { length, buffer, byteOffset } = missing;
  const gaps = roomForGaps(length + wordBytes);
  const words =
    byteOffset % wordBytes === 0
      ? new Uint32Array(buffer, byteOffset, Math.floor(length / wordBytes))
      : noWords;
  const inWords = words.length * wordBytes;
  let count = 0;
  for (let first = 0; first < words.length; first += elementsAtOnce)
    count = listWords(missing, words, first, Math.min(words.length, first + elementsAtOnce), gaps, count);
  for (let i = inWords; i < length; i++) if (missing[i] !== 0) gaps[count++] = i;
  gaps[count] = length;
  return gaps.subarray(0, count + 1);
}

const noWords = new Uint32Array(0);

function listWords(
  missing: Uint8Array,
  words: Uint32Array,
  first: number,
  end: number,
  gaps: Int32Array,
  listed: number,
): number {
  let count = listed;
  for (let word = first; word < end; word++) {
    if (words[word] === 0) continue;
    const i = word * wordBytes;
    // No branch by whether an element came, which no processor could foresee.
    gaps[count] = i;
    count += (missing[i]! + 255) >> 8;
    gaps[count] = i + 1;
    count += (missing[i + 1]! + 255) >> 8;
    gaps[count] = i + 2;
    count += (missing[i + 2]! + 255) >> 8;
    gaps[count] = i + 3;
    count += (missing[i + 3]! + 255) >> 8;
  }
  return count;
}

export function sumChannels(gap: Gap): ChannelSums {
  const { channels } = gap.axis;
  const sums = { sums: new Float64Array(channels), counts: new Uint32Array(channels) };
  if (gap.axis.stride === 1) addElements(gap, sums);
  else addRuns(gap, sums);
  return sums;
}

/** Each element is of the next channel. */
function addElements({ values, missing, axis }: Gap, { sums, counts }: ChannelSums): void {
  for (let i = 0, channel = 0; i < values.length; i++) {
    const value = values[i]!;
    if (missing[i] === 0 && value - value === 0) {
      sums[channel] = sums[channel]! + value;
      counts[channel] = counts[channel]! + 1;
    }
    channel = channel + 1 === axis.channels ? 0 : channel + 1;
  }
}

/** Each channel lies in one piece. */
function addRuns({ values, gaps, axis }: Gap, { sums, counts }: ChannelSums): void {
  for (let channel = 0, at = 0; channel < axis.channels; channel++) {
    const end = (channel + 1) * axis.stride;
    for (let from = end - axis.stride; from < end; ) {
      const gap = gaps[at]!;
      const to = Math.min(gap, end);
      addRun(values, from, to, sums, counts, channel);
      if (gap < end) at++;
      from = to + 1;
    }
  }
}

/** Adds elements that came. A function of its own, as V8 makes less of one long loop. */
function addRun(
  values: Float32Array,
  first: number,
  end: number,
  sums: Float64Array,
  counts: Uint32Array,
  channel: number,
): void {
  let sum = sums[channel]!;
  let count = counts[channel]!;
  for (let i = first; i < end; i++) {
    const value = values[i]!;
    if (value - value !== 0) continue;
    sum += value;
    count++;
  }
  sums[channel] = sum;
  counts[channel] = count;
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
export function fillByChannel({ values, gaps, axis }: Gap, byChannel: Float32Array): void {
  const { channels, stride } = axis;
  for (let at = 0; at < gaps.length - 1; at++) {
    const i = gaps[at]!;
    values[i] = byChannel[Math.floor(i / stride) % channels]!;
  }
}

/** Fills each missing element with the one of `source`. */
export function fillFrom({ values, gaps }: Gap, source: Float32Array): void {
  for (let at = 0; at < gaps.length - 1; at++) {
    const i = gaps[at]!;
    values[i] = source[i]!;
  }
}
