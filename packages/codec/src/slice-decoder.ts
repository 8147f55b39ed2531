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
    finish() {
      const [mask, missingCount] = [missing.elements(), missing.count()];
      // Memory that was used before has anything in it; what has come is written over it anyway.
      if (into && missingCount > 0) clear(into, mask);
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
