// The kernels of packages/tensor. Each works on this module's own memory, at byte offsets that
// src/kernels/simd-kernels.ts chooses; sources and targets do not overlap, and bounds are its business.
export { packBits, unpackBits } from "./bits";
export {
  dequantizeInterleaved8,
  dequantizeInterleaved16,
  dequantizeLevels8,
  dequantizeRuns8,
  dequantizeRuns16,
  writeLevels,
} from "./dequantize";
export { maximum, minimum, squares, sum } from "./moments";
export { quantizeInterleaved8, quantizeInterleaved16, quantizeRuns8, quantizeRuns16 } from "./quantize";
export { lookUp, tile, transpose, untile } from "./tile";
