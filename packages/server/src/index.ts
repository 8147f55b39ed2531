export { readAnswer } from "./answer-tensor.js";
export { type Capture, type CaptureOptions, createCapture, defaultCaptureBytes } from "./capture/capture.js";
export { captureSuffix } from "./capture/capture-directory.js";
export type {
  CapturedFrame,
  CapturedSlice,
  CapturedStream,
  CapturedTensor,
  CaptureOutcome,
  ReceiverState,
} from "./capture/capture-record.js";
export { CaptureError } from "./capture/decode-capture.js";
export { defaultFrameSample } from "./capture/frame-sample.js";
export { type CaptureReader, openCaptureFile } from "./capture/read-capture.js";
export { type ReplayedFrame, type ReplayOptions, replayCapture } from "./capture/replay-capture.js";
export type { StreamCapture } from "./capture/stream-capture.js";
export type { LoadedHalf } from "./half-pool.js";
export type { Authorize, Identity } from "./identities.js";
export { type MeasureOptions, measureBatchCosts } from "./measure-batch-costs.js";
export {
  type AnsweredOutput,
  type AnsweredPrediction,
  answerOutputs,
  answerPredictions,
  checkOutputsFit,
  encodeAnswer,
  type ModelAnswer,
} from "./model-answer.js";
export {
  compareVersions,
  createModelRegistry,
  type ModelRegistry,
  type ModelRegistryOptions,
  modelReference,
  type ServableModel,
} from "./model-registry.js";
export type { BatchCost } from "./scheduling/cost-curve.js";
export {
  type AnsweredFrame,
  type FrameContext,
  type OpenServedStream,
  runServedFrame,
  type ServedFrame,
  type ServedNetwork,
  type ServedStream,
  StreamRefusal,
  type StreamRequest,
  serveEach,
} from "./served-model.js";
export { createServer, type Server, type ServerOptions } from "./server.js";
export type { ServerLog, ServerObserver } from "./server-observer.js";
export { createSinkModel, type SinkAnswer, tensorChecksum } from "./sink-model.js";
