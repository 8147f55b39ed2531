/** Says why one candidate was left for another: what has changed most since it was chosen. */
import type { StrategyEstimates, SwitchCause } from "./strategy-api.js";

export interface SwitchBasis {
  readonly estimates: StrategyEstimates;
  readonly isPathUsable: boolean;
  /** Of the candidate that is left. */
  readonly isAvailable: boolean;
  readonly trust: number;
}

/** A change by this factor counts as one. */
const notable = 1.25;
/** Less than this of what was predicted is a cause by itself. */
const lowTrust = 0.9;

export function findCause(then: SwitchBasis | undefined, now: SwitchBasis): SwitchCause {
  if (!then) return "start";
  if (then.isPathUsable !== now.isPathUsable) return now.isPathUsable ? "path-back" : "path-lost";
  if (then.isAvailable !== now.isAvailable) return "availability";
  const { estimates: before } = then;
  const { estimates: after } = now;
  const changes: readonly (readonly [SwitchCause, number])[] = [
    ["bandwidth", factor(before.bandwidthBitsPerSecond, after.bandwidthBitsPerSecond)],
    ["round-trip", factor(before.rttMs, after.rttMs)],
    ["client-load", factor(before.clientLoad, after.clientLoad)],
    ["server-load", factor(1 + before.serverQueueMs / 10, 1 + after.serverQueueMs / 10)],
    ["server-load", factor(before.serverLoad, after.serverLoad)],
  ];
  const [cause, size] = changes.reduce((most, change) => (change[1] > most[1] ? change : most));
  if (size >= notable) return cause;
  return now.trust < lowTrust ? "late-results" : "better";
}

/** How many times one is the other, at least 1; a value that was not known says nothing. */
function factor(before: number | undefined, after: number | undefined): number {
  if (!before || !after) return 1;
  return Math.max(before / after, after / before);
}

export function formatReason(cause: SwitchCause, then: SwitchBasis | undefined, now: SwitchBasis): string {
  const from = then?.estimates;
  const to = now.estimates;
  switch (cause) {
    case "start":
      return "the first choice";
    case "path-lost":
      return "nothing comes back over the path";
    case "path-back":
      return `the path answers again${at(formatRate(to.bandwidthBitsPerSecond))}`;
    case "bandwidth":
      return `the bandwidth went from ${formatRate(from?.bandwidthBitsPerSecond)} to ${formatRate(to.bandwidthBitsPerSecond)}`;
    case "round-trip":
      return `the round trip went from ${formatMs(from?.rttMs)} to ${formatMs(to.rttMs)}`;
    case "client-load":
      return `work here takes ${formatLoad(to.clientLoad)} its time, and took ${formatLoad(from?.clientLoad)}`;
    case "server-load":
      return `work at the server takes ${formatLoad(to.serverLoad)} its time and waits ${formatMs(to.serverQueueMs)}`;
    case "availability":
      return now.isAvailable ? "the server takes its stream again" : "the server refuses its stream";
    case "late-results":
      return `${Math.round(100 * now.trust)} % of what was expected came in time`;
    case "better":
      return `it promises more${at(formatRate(to.bandwidthBitsPerSecond))}`;
    default:
      return cause satisfies never;
  }
}

function at(rate: string): string {
  return rate === "unknown" ? "" : ` at ${rate}`;
}

function formatRate(bitsPerSecond: number | undefined): string {
  return bitsPerSecond === undefined ? "unknown" : `${Number((bitsPerSecond / 1e6).toPrecision(3))} Mbit/s`;
}

function formatMs(ms: number | undefined): string {
  return ms === undefined ? "unknown" : `${Math.round(ms)} ms`;
}

function formatLoad(load: number | undefined): string {
  return `${(load ?? 1).toFixed(1)} times`;
}
