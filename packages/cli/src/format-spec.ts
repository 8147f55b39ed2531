import type { TensorSpec } from "@sluice/tensor";

/** A tensor's shape and type; of a bundle those of each tensor in it. */
export function formatSpec({ dtype, shape, parts }: Pick<TensorSpec, "dtype" | "shape" | "parts">): string {
  return parts ? parts.map((part) => formatSpec(part)).join(" + ") : `[${shape.join(", ")}] ${dtype}`;
}
