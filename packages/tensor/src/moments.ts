import { type ChannelAxis, channelAxis } from "./channel-axis.js";
import { tensorKernels } from "./kernels/simd-kernels.js";
import { blockElements } from "./kernels/tensor-kernels.js";
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

/**
 * Mean, deviation and range in float64: exact enough for any float32 data, and the same on every machine. Each block
 * of 32,768 values is gone through twice, the first time for its mean; blocks are joined after Chan, Golub and LeVeque,
 * "Updating formulae and a pairwise algorithm for computing sample variances" (1979).
 */
export function momentsOf(values: Float32Array): Moments {
  const kernels = tensorKernels();
  let count = 0;
  let mean = 0;
  let squares = 0;
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (let first = 0; first < values.length; first += blockElements) {
    const block = values.subarray(first, first + blockElements);
    const sums = kernels.sums(block);
    // Finite float32 cannot overflow a float64 sum, so this tells whether a NaN or an infinity is among them.
    if (!Number.isFinite(sums.sum)) return momentsOfFinite(values);
    const difference = sums.sum / block.length - mean;
    const share = block.length / (count + block.length);
    squares += sums.squares + difference * difference * count * share;
    mean += difference * share;
    count += block.length;
    minimum = Math.min(minimum, sums.minimum);
    maximum = Math.max(maximum, sums.maximum);
  }
  return count === 0 ? ofNothing : { count, mean, deviation: Math.sqrt(squares / count), minimum, maximum };
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
