import type * as Tf from "@tensorflow/tfjs";
import { type InputSizes, shapeOfOne, shapesByNames } from "../input-sizes.js";
import { openSizesAdvice } from "../tensor-info.js";
import type { RawInfo } from "../worker-engine/messages.js";
import type { TensorFlow } from "./open-backend.js";
import { rawShape } from "./runnable.js";

/** An input larger than this is not made only to learn shapes. */
const maxProbeElements = 1 << 26;

/** Inputs with sizes that they leave open. @throws ModelError where they do not take them */
export function withSizes(inputs: readonly RawInfo[], sizes: InputSizes | undefined): readonly RawInfo[] {
  const [first] = inputs;
  if (sizes === undefined || first === undefined) return inputs;
  // Axes have no names here but the batch's.
  const open = inputs.map(({ name, shape }) => ({
    name,
    shape: shape.map((size, axis) => (typeof size === "number" || axis === 0 ? size : null)),
  }));
  const shapes =
    sizes instanceof Map
      ? shapesByNames(open, sizes)
      : [shapeOfOne(first.name, open[0]!.shape, sizes as readonly number[], inputs.length)];
  return inputs.map((info, i) => ({ ...info, shape: rawShape(shapes[i]!) }));
}

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
      throw new Error(`input "${name}": the size of axis ${axis} is open${openSizesAdvice(shape.slice(1))}`);
    });
    return tf.zeros(dims, type as "float32");
  });
  try {
    return await use(tensors);
  } finally {
    tf.dispose([...tensors]);
  }
}
