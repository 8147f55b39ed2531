import { defaultCodec } from "@sluice/codec";
import { isFloatDtype, type TensorSpec } from "@sluice/tensor";

/** What tensors of whole numbers are sent with: they may be places in a table, and mean nothing once they are rounded. */
export const integerCodec = "raw";

/** Whether a codec that rounds has something to round; of a bundle it leaves whole numbers as they are (spec 6.14). */
export function hasFloats({ dtype, parts }: Pick<TensorSpec, "dtype" | "parts">): boolean {
  return parts ? parts.some((part) => isFloatDtype(part.dtype)) : isFloatDtype(dtype);
}

/** The codec of a tensor at a cut, where nobody has named one. */
export function suitedCodec(spec: Pick<TensorSpec, "dtype" | "parts">): string {
  return hasFloats(spec) ? defaultCodec : integerCodec;
}
