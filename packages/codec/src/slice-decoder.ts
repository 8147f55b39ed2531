import { createTensor, elementCount, sliceRange, type TensorSpec } from "@sluice/tensor";
import type { PartialTensor, TensorDecoder } from "./codec.js";
import type { ElementCoding } from "./element-coding.js";

function createPartialTensor(spec: TensorSpec, units: number, coding: ElementCoding): PartialTensor {
  const tensor = createTensor(spec.dtype, spec.shape, undefined, spec.layout);
  const missing = new Uint8Array(units).fill(1);
  let missingCount = units;
  return {
    add(index, count, payload) {
      // Checked here too, for a peer's mistake is an answer, not an exception.
      const sane =
        Number.isInteger(count) && count >= 1 && count <= units && Number.isInteger(index) && index >= 0;
      if (!sane || index >= count) return "range";
      const { first, end } = sliceRange(index, count, units);
      if (payload.length !== coding.payloadBytes(end - first)) return "payload-length";
      const fault = coding.decode(payload, tensor, first, end);
      if (fault !== undefined) return fault;
      for (let i = first; i < end; i++) missingCount -= missing[i]!;
      missing.fill(0, first, end);
      return undefined;
    },
    finish: () => ({ tensor, missing, missingCount }),
  };
}

/** Puts tensors of one spec together again from any slices of a coding whose units are single elements. */
export function createSliceDecoder(spec: TensorSpec, coding: ElementCoding): TensorDecoder {
  const units = elementCount(spec.shape);
  return { units, begin: () => createPartialTensor(spec, units, coding) };
}
