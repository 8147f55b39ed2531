import { createTensor, elementCount, sliceRange, type Tensor, type TensorSpec } from "@sluice/tensor";
import type { Chain } from "./chain.js";
import type { DecoderReference, PartialTensor, TensorDecoder } from "./codec.js";
import { createMissingMask } from "./missing-mask.js";
import { createOrderedRoom, type OrderedRoom } from "./ordered-room.js";
import { allFromUnitOrder, extentOf, fromUnitOrder } from "./unit-order.js";

function createPartialTensor(
  spec: TensorSpec,
  chain: Chain,
  room: OrderedRoom,
  whole: Uint8Array,
  frame: number | undefined,
  into: Tensor | undefined,
): PartialTensor {
  const { order } = chain;
  const tensor = into ?? createTensor(spec.dtype, spec.shape, undefined, spec.layout);
  const missing = createMissingMask(order, whole);
  /** What came, in the order of the units, until it is put into the tensor. */
  let ordered = order.reordered ? room.take() : undefined;
  // What does not come is 0.
  ordered?.data.fill(0);
  return {
    add(index, count, payload) {
      // Checked here too, for a peer's mistake is an answer, not an exception.
      const sane =
        Number.isInteger(count) &&
        count >= 1 &&
        count <= order.units &&
        Number.isInteger(index) &&
        index >= 0;
      if (!sane || index >= count) return "range";
      const range = sliceRange(index, count, order.units);
      const extent = extentOf(order, range.first, range.end);
      const isLate = order.reordered !== undefined && ordered === undefined;
      const target = ordered ?? (isLate ? room.take() : tensor);
      const fault = chain.decode(payload, range, target, frame);
      if (isLate) {
        if (fault === undefined) fromUnitOrder(order, extent, target, tensor);
        room.give(target);
      }
      if (fault !== undefined) return fault;
      missing.add(index, count, extent);
      return undefined;
    },
    finish() {
      if (ordered) {
        allFromUnitOrder(order, room.ranks(), ordered, tensor);
        room.give(ordered);
        ordered = undefined;
      }
      const [mask, missingCount] = [missing.elements(), missing.count()];
      // Memory that was used before has anything in it; what has come is written over it anyway.
      if (into && !order.reordered && missingCount > 0) clear(into, mask);
      return { tensor, missing: mask, missingCount };
    },
  };
}

/** Sets to zero what is missing. */
function clear({ data }: Tensor, missing: Uint8Array): void {
  for (let i = 0; i < data.length; i++) if (missing[i] !== 0) data[i] = 0;
}

/** Puts tensors of one spec together again from any slices of a chain. */
export function createSliceDecoder(spec: TensorSpec, chain: Chain): TensorDecoder {
  const { history } = chain;
  // Of nothing but zeros, which no slice changes any more.
  const whole = new Uint8Array(elementCount(spec.shape));
  const room = createOrderedRoom(spec, chain.order);
  return {
    units: chain.order.units,
    begin(frame, into) {
      if (frame !== undefined) history?.begin(frame);
      return createPartialTensor(spec, chain, room, whole, frame, into);
    },
    ...(history
      ? {
          references: () => history.references(),
          restore: (references: readonly DecoderReference[]) => history.restore(references),
        }
      : {}),
  };
}
