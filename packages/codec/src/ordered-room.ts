import { createTensor, type Tensor, type TensorSpec } from "@sluice/tensor";
import { ranksOf, type UnitOrder } from "./unit-order.js";

/** What a decoder needs for tensors whose elements come in another order than theirs. */
export interface OrderedRoom {
  /** A tensor for elements in the order of the units, with anything in it. Mostly one is under way, and it is used again. */
  take(): Tensor;
  give(ordered: Tensor): void;
  /** See `ranksOf`; made when it is asked for first. */
  ranks(): Uint32Array | undefined;
}

export function createOrderedRoom({ dtype, shape, layout }: TensorSpec, order: UnitOrder): OrderedRoom {
  let spare: Tensor | undefined;
  let ranks: Uint32Array | undefined;
  return {
    take() {
      const taken = spare ?? createTensor(dtype, shape, undefined, layout);
      spare = undefined;
      return taken;
    },
    give(ordered) {
      spare = ordered;
    },
    ranks() {
      ranks ??= ranksOf(order);
      return ranks;
    },
  };
}
