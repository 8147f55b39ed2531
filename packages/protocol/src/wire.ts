/** The wire alone, without sessions: for tests, conformance and tools that read and write bytes by themselves. */
export {
  type ControlMessage,
  type ControlName,
  createControlDecoder,
  decodeControl,
  encodeControl,
  encodeDelimitedControl,
  type OutgoingControl,
} from "./control-message.js";
export {
  type Datagram,
  decodeDatagram,
  encodeControlItem,
  encodeSliceItem,
  type ReceivedSlice,
} from "./datagram.js";
export { formatFec, parseFec } from "./fec/fec-options.js";
export { createFecReceiver } from "./fec/fec-receiver.js";
export { reedSolomon } from "./fec/reed-solomon.js";
export { encodeRepairPayload, encodeSourceSymbol } from "./fec/repair-payload.js";
export * from "./limits.js";
export { createReceiverReport } from "./receiver-report.js";
export { hasArrived, reportArrivals } from "./report-arrivals.js";
export { createResultDecoder, encodeResultStream } from "./result-framing.js";
export { decodeSliceHeader, encodeSliceHeader, type SliceHeader } from "./slice-header.js";
export { createTensorDecoder } from "./tensor-framing.js";
export { openStreamFromWire } from "./tensor-stream.js";
export { limitsFromWire } from "./wire-limits.js";
