export { chooseCuts } from "./choose-cuts.js";
export { classify, type Prediction, softmax } from "./classify.js";
export type { Cut, IllegalCut } from "./cut.js";
export { decodeImage, maxImagePixels, resizePixels } from "./decode-image.js";
export {
  type Engine,
  type EngineCounters,
  EngineError,
  type EngineErrorKind,
} from "./engine.js";
export { readLabels } from "./labels.js";
export { listCuts, listIllegalCuts, splitModel } from "./list-cuts.js";
export {
  embeddedModels,
  fashionDefaultCut,
  fashionDirectory,
  type LoadModelOptions,
  loadModel,
  type Model,
  readStatistics,
  statisticsPath,
} from "./load-model.js";
export { ModelError, type ModelErrorKind } from "./model-error.js";
export {
  type EngineOptions,
  type Network,
  type NetworkEngine,
  type NetworkFormat,
  type NetworkSplit,
  networkEngines,
} from "./network.js";
export type { ModelSplit } from "./onnx/split-graph.js";
export { createOnnxNetwork } from "./onnx-network.js";
export { loadOnnxruntime } from "./onnxruntime/onnxruntime-engine.js";
export type { OnnxruntimeOptions } from "./onnxruntime/session.js";
export {
  defaultPreprocess,
  type ImageSize,
  imageSizeOf,
  type Preprocess,
  preparePixels,
  preprocessPresets,
} from "./preprocess.js";
export type { ModelProfile, ProfiledOption } from "./profile-terms.js";
export { type IdxFile, parseIdx } from "./sources/idx-file.js";
export { type ImageFileOptions, openImageFiles, openImageGlob } from "./sources/image-files.js";
export type { CountedImageSource, ImageSource, LabelledImage } from "./sources/labelled-image.js";
export { type OpenSourceOptions, openSource, sourceForms } from "./sources/open-source.js";
export { openRawFrames, parseRawFrameShape, type RawFrameShape } from "./sources/raw-frames.js";
export { createSeededRandom } from "./sources/seeded-random.js";
export { createSyntheticSource, parseSyntheticShape, type SyntheticOptions } from "./sources/synthetic.js";
export { openTestImages } from "./sources/test-images.js";
export { openVideoFile, type VideoOptions } from "./sources/video-file.js";
export { describeValue, specOf, type TensorInfo } from "./tensor-info.js";
