import type { Dimension } from "../onnx/value-type.js";

/** The shape for any batch from those for one and two samples; null where not just the first axis is the batch's. */
export function mergeShapes(
  one: readonly number[],
  two: readonly number[],
  batchName: string,
): Dimension[] | null {
  const shape: Dimension[] = [...one];
  for (let axis = 0; axis < one.length; axis++) {
    if (one[axis] === two[axis]) continue;
    if (axis !== 0 || one[0] !== 1 || two[0] !== 2) return null;
    shape[0] = batchName;
  }
  return one.length === two.length ? shape : null;
}
