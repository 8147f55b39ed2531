import type { Random } from "./random.js";

/** A delay that wanders over time. */
export interface JitterProcess {
  /** The extra delay at `nowMs`, from 0 to `jitterMs`. */
  sampleMs(nowMs: number, jitterMs: number): number;
}

/** Shortest time from one level to the next, in milliseconds. */
const MIN_PERIOD_MS = 10;

/**
 * Levels drawn uniformly, joined by straight lines. From one level to the next takes at least twice `jitterMs`, so the
 * delay never falls faster than 0.5 ms a millisecond: packets cannot overtake each other. Independent draws for
 * each packet would reorder almost every packet of a fast flow, which paths with jitter do not do.
 */
export function createJitterProcess(random: Random): JitterProcess {
  let fromLevel = random.next();
  let toLevel = random.next();
  let startMs: number | undefined;
  return {
    sampleMs(nowMs, jitterMs) {
      if (jitterMs === 0) return 0;
      const periodMs = Math.max(MIN_PERIOD_MS, 2 * jitterMs);
      startMs ??= nowMs;
      if (nowMs - startMs >= 2 * periodMs) {
        // Nothing was sent for a while: start afresh, without a loop over the silence.
        fromLevel = random.next();
        toLevel = random.next();
        startMs = nowMs;
      } else if (nowMs - startMs >= periodMs) {
        fromLevel = toLevel;
        toLevel = random.next();
        startMs += periodMs;
      }
      // Clamped, because a change of the link's rate can move its times back a little.
      const progress = Math.min(1, Math.max(0, (nowMs - startMs) / periodMs));
      return jitterMs * (fromLevel + (toLevel - fromLevel) * progress);
    },
  };
}
