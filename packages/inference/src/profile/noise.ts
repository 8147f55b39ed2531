/** What networks are run on to compare what computes them, and how far their outputs are apart. */
import { convertTensor, createTensor, type Tensor, writeFloat32 } from "@sluice/tensor";
import type { TensorInfo } from "../tensor-info.js";

/** A sample as the network takes it, with 1 for axes whose size is open. @param value gives each element in turn */
export function sampleOf({ dtype, shape, layout }: TensorInfo, value: () => number): Tensor {
  const tensor = createTensor(
    dtype,
    shape.map((size) => size ?? 1),
    undefined,
    layout,
  );
  writeFloat32(tensor, 0, Float32Array.from(tensor.data, value));
  return tensor;
}

/** Noise of a normal size; of integers, which may be places in a table, ones. @param random gives 0 up to 1 */
export function noiseFor(info: TensorInfo, random: () => number): Tensor {
  if (info.dtype === "float32") return sampleOf(info, () => 2 * random() - 1);
  // Of 1 to 2, each of which float16 has.
  if (info.dtype === "float16") return sampleOf(info, () => 1 + Math.floor(0x3ff * random()) / 0x400);
  return sampleOf(info, () => 1);
}

/** The largest difference of two lists of tensors, as a share of the largest value of the first. */
export function differenceOf(expected: readonly Tensor[], got: readonly Tensor[]): number {
  let largest = 0;
  let difference = 0;
  expected.forEach((tensor, n) => {
    const ours = convertTensor(got[n]!, "float32").data;
    convertTensor(tensor, "float32").data.forEach((value, i) => {
      largest = Math.max(largest, Math.abs(value));
      difference = Math.max(difference, Math.abs(value - ours[i]!));
    });
  });
  return largest === 0 ? difference : difference / largest;
}
