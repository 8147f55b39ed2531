/** At most so much per second, evenly: frames or bytes, as the server announced (spec 4.4); kept by either side. */
export interface RateLimiter {
  /** When the next frame may start; in the past where it may start at once. */
  freeAtMs(): number;
  /** Counts what starts now; default one. */
  take(nowMs: number, amount?: number): void;
  /** From now on, also for what was counted before; 0: unlimited. */
  setLimit(perSecond: number): void;
}

/** What may come early: the enforcing side allows more, for the network's jitter. */
export interface RateTolerance {
  /** So many at once after a pause. Default 1. */
  readonly burst?: number;
  /** As much as comes in so many milliseconds. Default 0. */
  readonly ms?: number;
}

export function createRateLimiter(perSecond: number, tolerance: RateTolerance = {}): RateLimiter {
  const { burst = 1, ms = 0 } = tolerance;
  let intervalMs = perSecond > 0 ? 1_000 / perSecond : 0;
  // What was taken and is not paid off by the time that has passed since, as an amount: so a new limit holds at once.
  let owed = 0;
  let takenMs = Number.NEGATIVE_INFINITY;
  return {
    freeAtMs: () =>
      intervalMs === 0 ? Number.NEGATIVE_INFINITY : takenMs + (owed - (burst - 1)) * intervalMs - ms,
    take(nowMs, amount = 1) {
      // Without a limit nothing is owed, whatever limit comes.
      owed = intervalMs === 0 ? 0 : Math.max(0, owed - (nowMs - takenMs) / intervalMs) + amount;
      takenMs = nowMs;
    },
    setLimit(limit) {
      intervalMs = limit > 0 ? 1_000 / limit : 0;
    },
  };
}
