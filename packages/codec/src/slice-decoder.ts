import {
  createTensor,
  elementCount,
  sliceRange,
  type Tensor,
  type TensorSpec,
  type UnitRange,
} from "@sluice/tensor";
import type { Chain } from "./chain.js";
import type { DecoderReference, PartialTensor, SliceFault, TensorDecoder } from "./codec.js";
import { createMissingMask } from "./missing-mask.js";
import { createOrderedRoom, type OrderedRoom } from "./ordered-room.js";
import { allFromUnitOrder, extentOf, fromUnitOrder, type SliceExtent } from "./unit-order.js";

/** A tensor of which any range of units may come. */
export interface PartialRanges extends PartialTensor {
  /** As `add`, of a range that lies in the tensor. */
  addRange(range: UnitRange, payload: Uint8Array): SliceFault | undefined;
}

/** Decodes ranges of units as well as slices. */
export interface RangeDecoder extends TensorDecoder {
  begin(frame?: number, into?: Tensor): PartialRanges;
}

/** Whether there is such a slice. Checked here too, for a peer's mistake is an answer, not an exception. */
export function isSlice(index: number, count: number, units: number): boolean {
  return (
    Number.isInteger(count) &&
    count >= 1 &&
    count <= units &&
    Number.isInteger(index) &&
    index >= 0 &&
    index < count
  );
}

function createPartialTensor(
  spec: TensorSpec,
  chain: Chain,
  room: OrderedRoom,
  whole: Uint8Array,
  frame: number | undefined,
  into: Tensor | undefined,
): PartialRanges {
  const { order } = chain;
  const tensor = into ?? createTensor(spec.dtype, spec.shape, undefined, spec.layout);
  const missing = createMissingMask(order, whole);
  /** What came, in the order of the units, until it is put into the tensor. */
  let ordered = order.reordered ? room.take() : undefined;
  // What does not come is 0.
  ordered?.data.fill(0);

  function decode(range: UnitRange, extent: SliceExtent, payload: Uint8Array): SliceFault | undefined {
    const isLate = order.reordered !== undefined && ordered === undefined;
    const target = ordered ?? (isLate ? room.take() : tensor);
    const fault = chain.decode(payload, range, target, frame);
    if (isLate) {
      if (fault === undefined) fromUnitOrder(order, extent, target, tensor);
      room.give(target);
    }
    return fault;
  }

  return {
    add(index, count, payload) {
      if (!isSlice(index, count, order.units)) return "range";
      const range = sliceRange(index, count, order.units);
      const extent = extentOf(order, range.first, range.end);
      const fault = decode(range, extent, payload);
      if (fault === undefined) missing.add(index, count, extent);
      return fault;
    },
    addRange(range, payload) {
      const extent = extentOf(order, range.first, range.end);
      const fault = decode(range, extent, payload);
      if (fault === undefined) missing.addExtent(extent);
      return fault;
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
export function createSliceDecoder(spec: TensorSpec, chain: Chain): RangeDecoder {
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
