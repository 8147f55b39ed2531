import type { Tensor } from "@sluice/tensor";
import type { SliceFault } from "./codec.js";

/**
 * How a stage lays out a range of elements in a payload. Slices, masks and counts are the same for all stages and
 * lie outside of it (see `slice-encoder.ts`, `slice-decoder.ts`).
 */
export interface ElementCoding {
  /** Bytes that so many elements take; grows with them, so it also tells what fits. */
  payloadBytes(elements: number): number;
  /** Looks at a whole tensor before ranges of it are encoded. */
  measure(tensor: Tensor): void;
  /** Encodes the elements `first` to `end`, exclusive, into `payload`, which has exactly the bytes for them. */
  encode(tensor: Tensor, first: number, end: number, payload: Uint8Array): void;
  /** Decodes such a payload of the right length into `tensor`; on a fault, `tensor` is as it was. */
  decode(payload: Uint8Array, tensor: Tensor, first: number, end: number): SliceFault | undefined;
}
