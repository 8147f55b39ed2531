import { TensorError } from "./tensor.js";

/**
 * Peak signal-to-noise ratio in dB: 10 log10(R^2 / MSE), R = max - min of the reference (Ulhaq & Bajic, "Shared
 * mobile-cloud inference for collaborative intelligence"). Infinity where the two are equal.
 * @throws TensorError if the lengths differ or are 0.
 */
export function psnr(reference: Float32Array, other: Float32Array): number {
  if (reference.length === 0) throw new TensorError("reference", "no elements");
  if (other.length !== reference.length) {
    throw new TensorError("other", `${other.length} elements, the reference has ${reference.length}`);
  }
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  let squares = 0;
  for (let i = 0; i < reference.length; i++) {
    const value = reference[i]!;
    const error = value - other[i]!;
    squares += error * error;
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
  }
  if (squares === 0) return Number.POSITIVE_INFINITY;
  return 10 * Math.log10((maximum - minimum) ** 2 / (squares / reference.length));
}
