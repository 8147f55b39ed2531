/** What a page needs of inference; free of Node. `@sluice/inference/onnx` cuts models. */
export { classify, type Prediction, softmax } from "../classify.js";
export {
  type Engine,
  type EngineCounters,
  EngineError,
  type EngineErrorKind,
} from "../engine.js";
export { ModelError, type ModelErrorKind } from "../model-error.js";
export {
  type ImageSize,
  imageSizeOf,
  type Preprocess,
  preparePixels,
  preprocessPresets,
} from "../preprocess.js";
export { specOf, type TensorInfo } from "../tensor-info.js";
export { loadOnnxruntimeWeb, type OnnxruntimeWebOptions } from "./load-onnxruntime-web.js";
export type { WebProvider } from "./web-messages.js";
export type { WebWorker } from "./web-worker.js";
