/** What networks are run on to compare what computes them, and how far their outputs are apart. */
import { convertTensor, createTensor, type Tensor } from "@sluice/tensor";
import type { TensorInfo } from "../tensor-info.js";

/** Noise of a normal size; of integers, which may be places in a table, ones. @param random gives 0 up to 1 */
export function noiseFor({ dtype, shape, layout }: TensorInfo, random: () => number): Tensor {
  const tensor = createTensor(
    dtype,
    shape.map((size) => size ?? 1),
    undefined,
    layout,
  );
  if (dtype !== "float32" && dtype !== "float16") {
    tensor.data.fill(1);
    return tensor;
  }
  for (let i = 0; i < tensor.data.length; i++) {
    // Of float16 the bits are held: these are numbers of 1 to 2.
    tensor.data[i] = dtype === "float32" ? 2 * random() - 1 : 0x3c00 + 0x3ff * random();
  }
  return tensor;
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
