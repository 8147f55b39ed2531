import { createTensor, elementCount, sliceRange, type Tensor, type TensorSpec } from "@sluice/tensor";
import type { Chain } from "./chain.js";
import type { DecoderReference, PartialTensor, TensorDecoder } from "./codec.js";
import { createMissingMask } from "./missing-mask.js";
import { extentOf } from "./unit-order.js";

function createPartialTensor(
  spec: TensorSpec,
  chain: Chain,
  whole: Uint8Array,
  frame: number | undefined,
  into: Tensor | undefined,
): PartialTensor {
  const { order } = chain;
  const tensor = into ?? createTensor(spec.dtype, spec.shape, undefined, spec.layout);
  into?.data.fill(0);
  const missing = createMissingMask(order, whole);
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
      missing.add(index, count, extentOf(order, range.first, range.end));
      return undefined;
    },
    finish: () => ({ tensor, missing: missing.elements(), missingCount: missing.count() }),
  };
}

/** Puts tensors of one spec together again from any slices of a chain. */
export function createSliceDecoder(spec: TensorSpec, chain: Chain): TensorDecoder {
  const { history } = chain;
  // Of nothing but zeros, which no slice changes any more.
  const whole = new Uint8Array(elementCount(spec.shape));
  return {
    units: chain.order.units,
    begin(frame, into) {
      if (frame !== undefined) history?.begin(frame);
      return createPartialTensor(spec, chain, whole, frame, into);
    },
    ...(history
      ? {
          references: () => history.references(),
          restore: (references: readonly DecoderReference[]) => history.restore(references),
        }
      : {}),
  };
}
