/** At most so many frames per second, evenly: the server's announced limit (spec 4.4), kept by either side. */
export interface RateLimiter {
  /** When the next frame may start; in the past where it may start at once. */
  freeAtMs(): number;
  /** Counts a frame that starts now. */
  take(nowMs: number): void;
  /** 0: unlimited. */
  setLimit(framesPerSecond: number): void;
}

/** `burst`: frames that may come at once after a pause; the enforcing side allows more, for the network's jitter. */
export function createRateLimiter(framesPerSecond: number, burst: number): RateLimiter {
  let intervalMs = framesPerSecond > 0 ? 1_000 / framesPerSecond : 0;
  let freeMs = Number.NEGATIVE_INFINITY;
  return {
    freeAtMs: () => freeMs - (burst - 1) * intervalMs,
    take(nowMs) {
      freeMs = Math.max(freeMs, nowMs) + intervalMs;
    },
    setLimit(limit) {
      intervalMs = limit > 0 ? 1_000 / limit : 0;
      if (limit === 0) freeMs = Number.NEGATIVE_INFINITY;
    },
  };
}
