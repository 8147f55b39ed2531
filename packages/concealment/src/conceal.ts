import type { Tensor } from "@sluice/tensor";
import { type ConcealmentOptions, createConcealer } from "./concealer.js";
import type { ConcealmentReference } from "./concealer-api.js";
import type { ConcealmentMethod } from "./concealment-method.js";

/** Conceals one tensor: see `createConcealer`, which is faster for many. @throws TensorError as it does */
export function conceal(
  tensor: Tensor,
  missing: Uint8Array,
  method: ConcealmentMethod,
  options: ConcealmentOptions & { readonly reference?: ConcealmentReference } = {},
): void {
  createConcealer(tensor, method, options).conceal(tensor, missing, options.reference);
}
