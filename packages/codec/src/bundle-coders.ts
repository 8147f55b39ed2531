/** All that bundles need beside what single tensors do; a page loads it when a stream's tensors are bundles. */
import type { TensorSpec } from "@sluice/tensor";
import { checkBundle, checkSpec, isFloatDtype } from "@sluice/tensor";
import { createBundleDecoder } from "./bundle-decoder.js";
import { createBundleEncoder } from "./bundle-encoder.js";
import { type Chain, planChain } from "./chain.js";
import type { TensorDecoder, TensorEncoder } from "./codec.js";
import type { Stage } from "./stage.js";
import { raw } from "./stages/raw.js";
import { elementOrder, orderedAxis } from "./unit-order.js";

/** Makes coders of bundles from what plans a chain for one tensor. */
export interface BundleCoders {
  createEncoder(spec: TensorSpec, plan: (part: TensorSpec) => Chain): TensorEncoder;
  createDecoder(spec: TensorSpec, plan: (part: TensorSpec) => Chain): TensorDecoder;
}

/** Whole numbers in a bundle may be places in a table, which mean nothing once they are rounded. */
function planRaw(spec: TensorSpec): Chain {
  checkSpec(spec);
  const order = elementOrder(spec);
  const axis = orderedAxis(spec, order);
  return planChain([raw() as Stage], { spec, order, axis, rows: 1, statistics: undefined });
}

/** The tensors of a bundle (spec 6.14), each with a chain of its own. */
function planParts(spec: TensorSpec, plan: (part: TensorSpec) => Chain) {
  checkBundle(spec);
  const parts = spec.parts ?? [];
  return [parts, parts.map((part) => (isFloatDtype(part.dtype) ? plan(part) : planRaw(part)))] as const;
}

export const bundleCoders: BundleCoders = {
  createEncoder: (spec, plan) => createBundleEncoder(spec, ...planParts(spec, plan)),
  createDecoder: (spec, plan) => createBundleDecoder(spec, ...planParts(spec, plan)),
};
