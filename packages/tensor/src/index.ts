export * from "./base64.js";
export * from "./block-motion.js";
export * from "./bundle.js";
export * from "./channel-axis.js";
export * from "./fit-neighbour-predictors.js";
export * from "./float16.js";
export * from "./float32-view.js";
export {
  type LevelTable,
  maxByteLevels,
  type Symbols,
} from "./kernels/level-table.js";
export { plainKernels } from "./kernels/plain-kernels.js";
export { tensorKernels } from "./kernels/simd-kernels.js";
export type { BlockSums, TensorKernels } from "./kernels/tensor-kernels.js";
export { planeSize, type Tiling, tiledElements } from "./kernels/tiling.js";
export { instantiate, reserve, type WasmMemory, type WasmModule } from "./kernels/webassembly.js";
export * from "./lag-covariance.js";
export * from "./moments.js";
export * from "./neighbour-predictors.js";
export * from "./neighbour-predictors-form.js";
export * from "./output-tensor.js";
export * from "./psnr.js";
export * from "./slice-range.js";
export * from "./statistics.js";
export * from "./statistics-accumulator.js";
export * from "./statistics-form.js";
export * from "./tensor.js";
export * from "./transform-statistics.js";
