import type * as Tf from "@tensorflow/tfjs";
import type { InputSizes } from "../input-sizes.js";
import type { TfjsDescription, TfjsPart } from "./messages.js";

/** A network in TensorFlow.js' memory, in either form. */
export interface TfjsNetworkInMemory {
  /**
   * Runs zeros through the network where that is needed to know shapes.
   * @param sizes that its inputs leave open
   * @throws ModelError for sizes that it does not take
   */
  describe(sizes?: InputSizes): Promise<TfjsDescription>;
  /**
   * Makes ready to run a part; only one may be taken, and the weights that it does not need are let go. The caller
   * disposes of the results; the inputs stay as they are.
   */
  take(part: TfjsPart): (inputs: readonly Tf.Tensor[]) => Promise<Tf.Tensor[]>;
}

/** Text for an axis of open size: the first one is the batch's. */
export function rawShape(shape: readonly (number | string | null | undefined)[]): (number | string)[] {
  return shape.map((size, axis) =>
    typeof size === "number" && size >= 0 ? size : axis === 0 ? "batch" : `axis ${axis}`,
  );
}
