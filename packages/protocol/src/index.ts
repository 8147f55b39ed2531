export {
  type ClientEvent,
  type ClientFigures,
  type ClientSession,
  type ClientSessionOptions,
  createClientSession,
  type OfferDecision,
  type StreamTensor,
} from "./client-session.js";
export { ErrorCode, errorCodeName, ProtocolError } from "./error-code.js";
export { frameGate, type GateInput, type GateReason } from "./frame-gate.js";
export type { DropReason, ExpiryReason, LedgerCounts, LedgerFrame } from "./frame-ledger.js";
export { defaultLimits, protocolVersion, type SessionLimits } from "./limits.js";
export type { HeldSlice, ReceivedFrame, SliceReceipt } from "./reassembly.js";
export type { OutgoingFrame, OutgoingSlice } from "./send-buffer.js";
export {
  createServerSession,
  type FrameAnswer,
  type ServerEvent,
  type ServerFigures,
  type ServerSession,
  type ServerSessionOptions,
} from "./server-session.js";
export { maxSlicePayloadBytes } from "./tensor-framing.js";
export type { DeliveryMode, TensorStreamOptions } from "./tensor-stream.js";
