export { type Certificate, type CertificateOptions, createCertificate } from "./certificate.js";
export { type ConnectOptions, connect } from "./connect.js";
export type { Engine, Log } from "./engine.js";
export { type ListenOptions, listen } from "./listen.js";
export { type EngineName, selectEngine } from "./select-engine.js";
