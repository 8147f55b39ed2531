import { type ChannelAxis, channelAxis } from "./channel-axis.js";
import { elementCount, type Layout, TensorError } from "./tensor.js";

/** What is known of a set of numbers. Non-finite numbers are not counted; of nothing, everything is 0. */
export interface Moments {
  /** Finite numbers in the set. */
  readonly count: number;
  readonly mean: number;
  /** Standard deviation of the set itself (divided by n, not n - 1). */
  readonly deviation: number;
  readonly minimum: number;
  readonly maximum: number;
}

const ofNothing: Moments = { count: 0, mean: 0, deviation: 0, minimum: 0, maximum: 0 };

function momentsOfFinite(values: Float32Array): Moments {
  const finite = values.filter((value) => Number.isFinite(value));
  return finite.length === 0 ? ofNothing : momentsOf(finite);
}

/** Mean, deviation and range in float64, by two passes: exact enough for any float32 data. */
export function momentsOf(values: Float32Array): Moments {
  const count = values.length;
  if (count === 0) return ofNothing;
  let sum = 0;
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    sum += value;
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
  }
  // Finite float32 cannot overflow a float64 sum, so this tells whether a NaN or an infinity is among them.
  if (!Number.isFinite(sum)) return momentsOfFinite(values);
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < count; i++) {
    const difference = values[i]! - mean;
    squares += difference * difference;
  }
  return { count, mean, deviation: Math.sqrt(squares / count), minimum, maximum };
}

/** The elements of one channel: a view where they lie together (`chw`, `any`), else a copy (`hwc`). */
function gatherChannel(data: Float32Array, axis: ChannelAxis, channel: number): Float32Array {
  const count = data.length / axis.channels;
  if (axis.stride === count) return data.subarray(channel * count, (channel + 1) * count);
  const gathered = new Float32Array(count);
  for (let i = 0, at = channel; i < count; i++, at += axis.channels) gathered[i] = data[at]!;
  return gathered;
}

/**
 * {@link momentsOf} each channel of a tensor.
 * @param data in row-major order; `layout` says which axis of `shape` is the channel's.
 * @throws TensorError if the data is of another length than the shape asks for.
 */
export function channelMoments(data: Float32Array, shape: readonly number[], layout: Layout): Moments[] {
  if (data.length !== elementCount(shape)) {
    throw new TensorError("data", `${data.length} elements, the shape has ${elementCount(shape)}`);
  }
  const axis = channelAxis(shape, layout);
  return Array.from({ length: axis.channels }, (_, channel) => momentsOf(gatherChannel(data, axis, channel)));
}
