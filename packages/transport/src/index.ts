export { Arrivals } from "./arrivals.js";
export { type ComplianceCase, type CompliancePair, complianceCases } from "./compliance.js";
export { createMemoryPair, type MemoryPair, type MemoryPairOptions } from "./memory-pair.js";
export * from "./session.js";
export {
  type Clock,
  createSessionDriver,
  type ProtocolCore,
  type SessionDriver,
  type SessionDriverOptions,
} from "./session-driver.js";
export { createSystemClock, type TimerHost } from "./system-clock.js";
