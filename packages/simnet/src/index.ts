export { corruptPacket } from "./corrupt-packet.js";
export { createLink, type Link, type LinkCounters, type LinkDropReason, type LinkVerdict } from "./link.js";
export { type CheckedLinkParameters, checkLinkParameters, type LinkParameters } from "./link-parameters.js";
export { parseDurationMs } from "./parse-duration.js";
export { parsePercentOrFraction } from "./parse-fraction.js";
export { parseRate } from "./parse-rate.js";
export { createRandom, type Random } from "./random.js";
export {
  createRelay,
  type Relay,
  type RelayDirectionStats,
  type RelayOptions,
  type RelayStats,
} from "./relay.js";
export { createScheduledLink } from "./scheduled-link.js";
export type { HostPort } from "./udp-socket.js";
export {
  createVirtualClock,
  type VirtualClock,
  type VirtualClockOptions,
  type VirtualTimer,
} from "./virtual-clock.js";
