import type * as Tf from "@tensorflow/tfjs";
import type { RawInfo } from "../worker-engine/messages.js";
import type { TensorFlow } from "./open-backend.js";

/** An input larger than this is not made only to learn shapes. */
const maxProbeElements = 1 << 26;

/** Whether zeros can be made for an input: all sizes are known but the batch's. */
export function canProbe(inputs: readonly RawInfo[]): boolean {
  return inputs.every(({ shape }) => {
    const sizes = shape.map((size, axis) => (typeof size === "number" ? size : axis === 0 ? 2 : Number.NaN));
    return sizes.reduce((count, size) => count * size, 1) <= maxProbeElements;
  });
}

/**
 * Calls a function with zeros for the inputs, which are let go afterwards.
 * @param batch the size of an open batch axis
 */
export async function runZeros<T>(
  tf: TensorFlow,
  inputs: readonly RawInfo[],
  batch: number,
  use: (tensors: readonly Tf.Tensor[]) => Promise<T>,
): Promise<T> {
  const tensors = inputs.map(({ name, type, shape }) => {
    const dims = shape.map((size, axis) => {
      if (typeof size === "number") return size;
      if (axis === 0) return batch;
      throw new Error(`input "${name}": the size of axis ${axis} is open; only axis 0 may be`);
    });
    return tf.zeros(dims, type as "float32");
  });
  try {
    return await use(tensors);
  } finally {
    tf.dispose([...tensors]);
  }
}
