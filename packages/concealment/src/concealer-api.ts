import type { BlockMotion, Tensor } from "@sluice/tensor";
import type { ConcealmentMethod } from "./concealment-method.js";

/** An earlier tensor of the stream. */
export interface ConcealmentReference {
  /** Of the same spec. */
  readonly tensor: Tensor;
  /** How what is concealed has moved; absent: not at all. Only for layouts with planes. */
  readonly motion?: BlockMotion;
  /** How many frames before the one that is concealed it is, by which vectors are drawn out or in. Default 1. */
  readonly framesBefore?: number;
}

/** Fills gaps in tensors of one spec by one method. */
export interface Concealer {
  readonly method: ConcealmentMethod;
  /**
   * Fills the missing elements of a tensor in place. Those that came stay, bit for bit.
   * @param missing one entry for each element: 0 where it came, anything else where it is missing
   * @param reference used by `auto` and `temporal`
   * @throws TensorError if the tensor, the mask or the reference does not fit; then nothing is changed
   */
  conceal(tensor: Tensor, missing: Uint8Array, reference?: ConcealmentReference): void;
}
