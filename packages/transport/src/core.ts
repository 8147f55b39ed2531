/** What a client in a page needs at once; an index that also names the rest would be loaded with it by bundlers. */
export * from "./session.js";
export {
  type Clock,
  createSessionDriver,
  type ProtocolCore,
  type SessionDriver,
  type SessionDriverOptions,
} from "./session-driver.js";
export { createSystemClock, type TimerHost } from "./system-clock.js";
export { createW3cSession, type W3cSessionOptions } from "./w3c-session.js";
export type * from "./w3c-transport.js";
