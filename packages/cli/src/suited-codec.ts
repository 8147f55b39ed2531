import { defaultCodec } from "@sluice/codec";
import type { Dtype } from "@sluice/tensor";

export const isFloatDtype = (dtype: Dtype) => dtype === "float32" || dtype === "float16";

/**
 * What tensors of whole numbers are sent with: they may be places in a table, and mean nothing once they are rounded. So are
 * bundles, whose tensors have no range in common.
 */
export const integerCodec = "raw";

/** The codec of a tensor at a cut, where nobody has named one. */
export function suitedCodec(dtype: Dtype): string {
  return isFloatDtype(dtype) ? defaultCodec : integerCodec;
}
