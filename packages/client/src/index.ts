export { createClient } from "./client.js";
export type {
  AgreedStatistics,
  Client,
  ClientOptions,
  FrameBudget,
  ObservedSession,
  OpenStreamOptions,
  ProduceTensor,
  SessionEnd,
  SessionFigures,
  TensorStream,
} from "./client-api.js";
export { ClientError } from "./client-error.js";
export type { ConnectionFailure } from "./connection-failure.js";
export type { FrameCounts } from "./frame-counts.js";
export type {
  DeliveredFrame,
  DroppedFrame,
  ExpiredFrame,
  FrameOutcome,
  FrameTimings,
} from "./frame-outcome.js";
export type { LaneFigures } from "./lane.js";
export { type MapFramesOptions, mapFrames } from "./pipeline/map-frames.js";
export { pipeline } from "./pipeline/pipeline.js";
export type {
  ClientPart,
  FrameResult,
  FrameResults,
  FrameSink,
  FrameSource,
  Pipeline,
  PipelineClient,
  PipelineFigures,
  PipelineRun,
  PipelineSendOptions,
  SendFramesFigures,
  SendFramesOptions,
  StageContext,
  StageFunction,
  StageOptions,
  TensorEngine,
} from "./pipeline/pipeline-api.js";
export { sendFrames } from "./pipeline/send-frames.js";
export { type NamedTensor, readOutputs } from "./read-outputs.js";
export {
  createReconnectPolicy,
  type ReconnectPolicy,
  type ReconnectPolicyOptions,
} from "./reconnect-policy.js";
export {
  type ConnectionState,
  createReconnectingClient,
  type ReconnectingClient,
  type ReconnectingClientOptions,
} from "./reconnecting-client.js";
export type {
  AdaptiveCandidate,
  AdaptiveClient,
  AdaptiveFigures,
  AdaptiveOutcome,
  AdaptiveStream,
  AdaptiveStreamOptions,
  LocalCandidate,
  SentCandidate,
} from "./strategy/adaptive-api.js";
export { createAdaptiveStream } from "./strategy/adaptive-stream.js";
export type {
  Prediction,
  SelectorConditions,
  SelectorOptions,
  StrategyCandidate,
  StrategyDecision,
  StrategyEstimates,
  StrategySample,
  StrategySelector,
  StrategySwitch,
  SwitchCause,
} from "./strategy/strategy-api.js";
export { createStrategySelector } from "./strategy/strategy-selector.js";
export type { ReconnectingFigures } from "./sum-figures.js";
