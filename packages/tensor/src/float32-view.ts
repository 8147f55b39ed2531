import { decodeFloat16Array, encodeFloat16 } from "./float16.js";
import { createTensor, type Dtype, type Tensor } from "./tensor.js";

const largestHalf = 65504;

/**
 * The elements `first` to `end`, exclusive, as float32. A float32 tensor gives a view of its own data; any other
 * is converted into the beginning of `scratch` (at least `end - first` elements), of which a view is returned.
 * int32 beyond 2^24 rounds to the nearest float32.
 */
export function readFloat32(tensor: Tensor, first: number, end: number, scratch: Float32Array): Float32Array {
  const { data } = tensor;
  if (data instanceof Float32Array) return data.subarray(first, end);
  const view = scratch.subarray(0, end - first);
  const source = data.subarray(first, end);
  if (source instanceof Uint16Array) decodeFloat16Array(source, view);
  else view.set(source);
  return view;
}

/**
 * Writes one value as an element of a tensor: rounded to the nearest (for integers, halves upwards) and clamped to
 * what the dtype holds; NaN becomes 0 in an integer. A float16 out of range becomes the largest finite one.
 */
export function writeFloat32Element(tensor: Tensor, element: number, value: number): void {
  const { data, dtype } = tensor;
  switch (dtype) {
    case "float32":
      data[element] = value;
      return;
    case "float16":
      data[element] = encodeFloat16(Math.min(largestHalf, Math.max(-largestHalf, value)));
      return;
    case "uint8":
      data[element] = Math.min(255, Math.max(0, Math.round(value)));
      return;
    case "int8":
      data[element] = Math.min(127, Math.max(-128, Math.round(value)));
      return;
    case "int32":
      data[element] = Math.min(2147483647, Math.max(-2147483648, Math.round(value)));
      return;
  }
}

/** Writes `values` to the elements from `first`, each converted as its dtype needs: see {@link readFloat32}. */
export function writeFloat32(tensor: Tensor, first: number, values: Float32Array): void {
  if (tensor.data instanceof Float32Array) {
    tensor.data.set(values, first);
    return;
  }
  for (let i = 0; i < values.length; i++) writeFloat32Element(tensor, first + i, values[i]!);
}

/** A tensor with elements of another dtype, converted as {@link writeFloat32} does; the tensor itself where it has it. */
export function convertTensor(tensor: Tensor, dtype: Dtype): Tensor {
  if (tensor.dtype === dtype) return tensor;
  const converted = createTensor(dtype, tensor.shape, undefined, tensor.layout);
  const { length } = tensor.data;
  writeFloat32(converted, 0, readFloat32(tensor, 0, length, new Float32Array(length)));
  return converted;
}
