export { Arrivals } from "./arrivals.js";
export { type ComplianceCase, type CompliancePair, complianceCases } from "./compliance.js";
export * from "./core.js";
export { DatagramSize } from "./datagram-size.js";
export { createMemoryPair, type MemoryPair, type MemoryPairOptions } from "./memory-pair.js";
export type { MuxChannel, MuxChannelHandler } from "./mux-channel.js";
export {
  decodeMuxFrame,
  encodeMuxFrame,
  MAX_MESSAGE_BYTES,
  MUX_PROTOCOL,
  type MuxFrame,
  MuxViolation,
  VIOLATION_CLOSE_CODE,
} from "./mux-frame.js";
export { type MuxRole, MuxSession } from "./mux-session.js";
export { createTimeShares, type TimeShares } from "./time-shares.js";
export { createW3cStreamErrors, type W3cStreamErrors } from "./w3c-error.js";
export { connectWebSocket, type W3cWebSocket, type WebSocketSessionOptions } from "./web-socket-session.js";
