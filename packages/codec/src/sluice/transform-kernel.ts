import { createPlainTransform } from "./plain-transform.js";
import { createSimdTransform } from "./simd-transform.js";
import type { TransformKernel, TransformParameters } from "./transform-parameters.js";

/**
 * A kernel for one transform, the fastest that this machine can run: in WebAssembly with SIMD, or else in JavaScript.
 * Its memory holds the matrices and one block.
 */
export function createTransformKernel(parameters: TransformParameters): TransformKernel {
  return createSimdTransform(parameters) ?? createPlainTransform(parameters);
}
