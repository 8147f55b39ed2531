import { createTensor, elementCount, sliceRange, type TensorSpec, type UnitRange } from "@sluice/tensor";
import type { Chain } from "./chain.js";
import type { DecoderReference, PartialTensor, TensorDecoder } from "./codec.js";
import { clearMissing, extentOf, type UnitOrder } from "./unit-order.js";

function createPartialTensor(spec: TensorSpec, chain: Chain, frame: number | undefined): PartialTensor {
  const { order } = chain;
  const tensor = createTensor(spec.dtype, spec.shape, undefined, spec.layout);
  const came: UnitRange[] = [];
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
      const fault = chain.decode(payload, range, tensor, frame);
      if (fault !== undefined) return fault;
      came.push(range);
      return undefined;
    },
    finish: () => ({ tensor, ...maskOf(order, came, elementCount(spec.shape)) }),
  };
}

/** What slices leave missing. Where all came the mask needs no look at the elements, whatever their order. */
function maskOf(order: UnitOrder, came: readonly UnitRange[], elements: number) {
  const missing = new Uint8Array(elements);
  if (isWhole(came, order.units)) return { missing, missingCount: 0 };
  missing.fill(1);
  let missingCount = elements;
  for (const { first, end } of came)
    missingCount -= clearMissing(order, extentOf(order, first, end), missing);
  return { missing, missingCount };
}

/** Whether ranges hold every unit. */
function isWhole(ranges: readonly UnitRange[], units: number): boolean {
  let end = 0;
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    if (range.first > end) return false;
    end = Math.max(end, range.end);
  }
  return end === units;
}

/** Puts tensors of one spec together again from any slices of a chain. */
export function createSliceDecoder(spec: TensorSpec, chain: Chain): TensorDecoder {
  const { history } = chain;
  return {
    units: chain.order.units,
    begin(frame) {
      if (frame !== undefined) history?.begin(frame);
      return createPartialTensor(spec, chain, frame);
    },
    ...(history
      ? {
          references: () => history.references(),
          restore: (references: readonly DecoderReference[]) => history.restore(references),
        }
      : {}),
  };
}
