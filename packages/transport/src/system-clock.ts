import type { Clock } from "./session-driver.js";

/** What a browser's, a worker's and Node's global objects have in common. */
export interface TimerHost {
  readonly performance: { now(): number };
  setTimeout(call: () => void, delayMs: number): unknown;
  clearTimeout(timer: never): void;
}

/** The clock of a host; pass `globalThis`. */
export function createSystemClock(host: TimerHost): Clock {
  return {
    now: () => host.performance.now(),
    schedule: (delayMs, call) => host.setTimeout(call, Math.min(delayMs, 0x7fffffff)),
    cancel: (timer) => host.clearTimeout(timer as never),
  };
}
