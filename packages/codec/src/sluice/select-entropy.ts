import type { EntropyKernel } from "./entropy-kernel.js";
import { plainEntropy } from "./plain-entropy.js";
import { createSimdEntropy } from "./simd-entropy.js";

let kernel: EntropyKernel | undefined;

/** The entropy kernel of this thread, the fastest that the machine can run. */
export function entropyKernel(): EntropyKernel {
  kernel ??= createSimdEntropy() ?? plainEntropy;
  return kernel;
}
