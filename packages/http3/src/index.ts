export type { RetryMode } from "./admission/admission.js";
export type { Rate } from "./admission/rate-table.js";
export { type RefusalCounts, type RefusalReason, refusalReasons } from "./admission/refusals.js";
export type { Authorization, Authorize } from "./authorize-request.js";
export { type Certificate, type CertificateOptions, createCertificate } from "./certificate.js";
export type { PublishedCertificate } from "./certificates/certificate-source.js";
export type { CertificateOption } from "./certificates/open-certificate-source.js";
export { type ConnectOptions, connect } from "./connect.js";
export type { Engine, Log } from "./engine.js";
export type { EngineStats } from "./engine-stats.js";
export type { Http3Server, ServerStats } from "./http3-server.js";
export { type ListenOptions, listen } from "./listen.js";
export { type AllowsOrigin, createOriginList } from "./origin-list.js";
export { ENGINE_FAILED_CODE } from "./quiche/close-info.js";
export type { QuicThreadName } from "./quiche/quic-thread.js";
export { type EngineName, engineNames, type SelectEngineOptions, selectEngine } from "./select-engine.js";
export {
  connectWithHashes,
  parseCertificateHashes,
  type WebTransportHash,
} from "./w3c/certificate-hashes.js";
export { WebTransportDatagramDuplexStream } from "./w3c/datagrams.js";
export {
  SessionWebTransport,
  type WebTransportCloseInfo,
  type WebTransportConnectionStats,
} from "./w3c/session-web-transport.js";
export type { WebTransportBidirectionalStream } from "./w3c/streams.js";
export { WebTransport, type WebTransportOptions } from "./w3c/web-transport.js";
export { WebTransportError, type WebTransportErrorOptions } from "./w3c/web-transport-error.js";
