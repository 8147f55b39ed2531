export { Arrivals } from "./arrivals.js";
export { type ComplianceCase, type CompliancePair, complianceCases } from "./compliance.js";
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
export * from "./session.js";
export {
  type Clock,
  createSessionDriver,
  type ProtocolCore,
  type SessionDriver,
  type SessionDriverOptions,
} from "./session-driver.js";
export { createSystemClock, type TimerHost } from "./system-clock.js";
export { createW3cStreamErrors, type W3cStreamErrors } from "./w3c-error.js";
export { createW3cSession, type W3cSessionOptions } from "./w3c-session.js";
export type * from "./w3c-transport.js";
export { connectWebSocket, type W3cWebSocket, type WebSocketSessionOptions } from "./web-socket-session.js";
