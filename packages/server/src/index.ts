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
export {
  type FrameContext,
  type OpenServedStream,
  type ServedStream,
  StreamRefusal,
  type StreamRequest,
} from "./served-model.js";
export { createServer, type Server, type ServerOptions } from "./server.js";
export type { ServerLog, ServerObserver } from "./server-observer.js";
export { createSinkModel, type SinkAnswer, tensorChecksum } from "./sink-model.js";
