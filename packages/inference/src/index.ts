export { bundledNetwork } from "./bundled-network.js";
export { chooseCuts } from "./choose-cuts.js";
export { classify, type Prediction, softmax } from "./classify.js";
export type { CrossingTensor, Cut, CutWork, IllegalCut } from "./cut.js";
export { decodeImage, maxImagePixels, resizePixels } from "./decode-image.js";
export {
  type Engine,
  type EngineCounters,
  EngineError,
  type EngineErrorKind,
  type RunOptions,
  type Sample,
} from "./engine.js";
export { findCut } from "./find-cut.js";
export { namesOf } from "./graph/find-cuts.js";
export { readLabels } from "./labels.js";
export { listCuts, listIllegalCuts, splitModel } from "./list-cuts.js";
export {
  embeddedModels,
  fashionDefaultCut,
  fashionDirectory,
  type LoadModelOptions,
  loadModel,
  readStatistics,
  statisticsPath,
} from "./load-model.js";
export { mixesSamples } from "./mixes-samples.js";
export type { Model, ModelInput } from "./model.js";
export { ModelError, type ModelErrorKind } from "./model-error.js";
export {
  type EngineOptions,
  type Network,
  type NetworkEngine,
  type NetworkFormat,
  type NetworkSplit,
  networkEngines,
} from "./network.js";
export { numbersOf } from "./numbers-of.js";
export { decodeCtc, type TextLine } from "./ocr/decode-ctc.js";
export { ocrDefaultCut } from "./ocr/load-ocr.js";
export type { ModelSplit } from "./onnx/split-graph.js";
export { createOnnxNetwork } from "./onnx-network.js";
export { loadOnnxruntime } from "./onnxruntime/onnxruntime-engine.js";
export type { OnnxruntimeOptions } from "./onnxruntime/open-onnx-session.js";
export { type ProviderChoice, providerChoices } from "./onnxruntime/providers.js";
export {
  defaultPreprocess,
  type ImageSize,
  imageSizeOf,
  type Preprocess,
  preparePixels,
  preprocessPresets,
} from "./preprocess.js";
export { type BandwidthInterval, bestByBandwidth } from "./profile/best-by-bandwidth.js";
export { type CompareOptions, compareProviders, type ProviderFigures } from "./profile/compare-providers.js";
export { type MeasuredCodec, measureCodec, sliceOverheadBytes } from "./profile/measure-codec.js";
export {
  type LayerFigures,
  type MeasuredProfile,
  measureProfile,
  type ProfileOptions,
} from "./profile/measure-profile.js";
export { type TimedRuns, timeRuns } from "./profile/time-runs.js";
export { measureDistribution, type ValueDistribution } from "./profile/value-distribution.js";
export type { ModelProfile, ProfiledOption } from "./profile-terms.js";
export type { RemoteOptions } from "./remote/remote-model.js";
export { openRemoteNetwork, withRemoteHalf } from "./remote/remote-network.js";
export { createRestartingEngine, type RestartOptions } from "./restarting-engine.js";
export { type IdxFile, parseIdx } from "./sources/idx-file.js";
export { type ImageFileOptions, openImageFiles, openImageGlob } from "./sources/image-files.js";
export type { CountedImageSource, ImageSource, LabelledImage } from "./sources/labelled-image.js";
export { type OpenSourceOptions, openSource, sourceForms } from "./sources/open-source.js";
export { namedSourceForms, openSources } from "./sources/open-sources.js";
export { openRawFrames, parseRawFrameShape, type RawFrameShape } from "./sources/raw-frames.js";
export { repeatFirst } from "./sources/repeat-first.js";
export { createSeededRandom } from "./sources/seeded-random.js";
export { createSyntheticSource, parseSyntheticShape, type SyntheticOptions } from "./sources/synthetic.js";
export { openTestImages } from "./sources/test-images.js";
export { openVideoFile, type VideoOptions } from "./sources/video-file.js";
export {
  bundleInfo,
  describeValue,
  isImage,
  type OutputInfo,
  openSizesAdvice,
  specOf,
  type TensorInfo,
} from "./tensor-info.js";
export { type TfjsBackend, tfjsBackends } from "./tfjs/open-backend.js";
export { openTfjsNetwork, type TfjsOptions } from "./tfjs/tfjs-network.js";
