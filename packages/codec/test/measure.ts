import type { EncodedSlice } from "@sluice/codec";
import type { Tensor } from "@sluice/tensor";

/** Bytes of the payloads together. */
export const bytesOf = (slices: readonly EncodedSlice[]): number =>
  slices.reduce((sum, { payload }) => sum + payload.length, 0);

/** Mean of the squared differences of the elements. */
export function meanSquare(a: Tensor, b: Tensor): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += (a.data[i]! - b.data[i]!) ** 2;
  return sum / a.data.length;
}
