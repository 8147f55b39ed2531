export type {
  ClientFigures,
  ClientSession,
  ClientSessionOptions,
  OfferDecision,
  StreamTensor,
} from "./client-api.js";
export type { ClientEvent, PathEstimate, StreamAcceptance } from "./client-event.js";
export { createClientSession } from "./client-session.js";
export { ErrorCode, errorCodeLabel, errorCodeName, mayTryAgain, ProtocolError } from "./error-code.js";
export { type FecOptions, formatFec, parseFec } from "./fec/fec-options.js";
export type { RepairReceipt } from "./fec/fec-receiver.js";
export { frameBudgetBytes, frameGate, type GateInput, type GateReason } from "./frame-gate.js";
export type { DropReason, ExpiryReason, LedgerCounts, LedgerFrame } from "./frame-ledger.js";
export { createFrameTable } from "./frame-table.js";
export {
  type InferenceTerms,
  type PathTerms,
  type Strategy,
  strategies,
  totalInferenceMs,
} from "./inference-terms.js";
export { createLatestMedian, type LatestMedian } from "./latest-median.js";
export {
  defaultLimits,
  giveWayMs,
  maxResultPayloadBytes,
  maxResultStreamBytes,
  maxResultStreams,
  protocolVersion,
  type SessionLimits,
} from "./limits.js";
export type { ResultUpload } from "./outgoing-results.js";
export type { HeldSlice, ReceivedFrame, SliceReceipt } from "./reassembly.js";
export { bytesOf, type OutgoingFrame, type OutgoingSlice } from "./send-buffer.js";
export type {
  FrameAnswer,
  ServerEvent,
  ServerFigures,
  ServerSession,
  ServerSessionOptions,
  StreamAnswers,
} from "./server-api.js";
export { createServerSession } from "./server-session.js";
export type { SessionEvent, SessionObserver } from "./session-event.js";
export { type StageTimes, stageTimesOf } from "./stage-times.js";
export { maxSlicePayloadBytes } from "./tensor-framing.js";
export {
  type DeliveryMode,
  openStreamFromWire,
  openStreamToWire,
  type ResultContent,
  type ResultFormat,
  type TensorStreamOptions,
  tensorStreamDefaults,
} from "./tensor-stream.js";
export { limitsFromWire } from "./wire-limits.js";
