export {
  type CaseResult,
  formatReport,
  type JudgedCase,
  judgeCases,
  type SuiteReport,
} from "./case-report.js";
export { matchesGlob, parseKnownFailures } from "./known-failures.js";
export { clientCases } from "./live/client-cases.js";
export { type ClientSources, createCommandSources, createWaitingSources } from "./live/client-source.js";
export type { LiveCase } from "./live/live-case.js";
export { runClientSuite } from "./live/run-client-suite.js";
export { runServerSuite, serverCases } from "./live/run-live-suite.js";
export type { ServerTarget } from "./live/server-context.js";
export { ownImplementation, ownVectorsDirectory } from "./own-implementation.js";
export { createLinePeer, type LineCommand, type LinePeer } from "./vectors/line-peer.js";
export { runVectors } from "./vectors/run-vectors.js";
export { readVectors, type Vector, type VectorSet } from "./vectors/vector.js";
