export {
  type CaseResult,
  formatReport,
  type JudgedCase,
  judgeCases,
  type SuiteReport,
} from "./case-report.js";
export { parseKnownFailures } from "./known-failures.js";
export type { LiveCase } from "./live/live-case.js";
export { runServerSuite, serverCases } from "./live/run-live-suite.js";
export type { ServerTarget } from "./live/server-context.js";
export { ownImplementation, ownVectorsDirectory } from "./own-implementation.js";
export { createLinePeer, type LineCommand, type LinePeer } from "./vectors/line-peer.js";
export { runVectors } from "./vectors/run-vectors.js";
export { readVectors, type Vector, type VectorSet } from "./vectors/vector.js";
