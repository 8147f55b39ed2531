/**
 * How much of what is predicted of a candidate comes true. Estimates of a path lag behind it and know nothing of what
 * they do not model: what came of a candidate lately counts more. What was learnt fades with time, more slowly after each
 * visit that was in vain, or two candidates would take turns in failing.
 */
export interface Trust {
  /**
   * A frame offered while the candidate was in use has ended.
   * @param expected how many of such frames were to be in time, 0 to 1
   * @param window so many frames decide, of those that are all expected in time
   */
  add(onTime: boolean, expected: number, window: number, nowMs: number): void;
  /** A probe has ended. */
  addProbe(onTime: boolean, nowMs: number): void;
  /** The candidate was left because less came of it than was predicted. */
  leftInVain(nowMs: number): void;
  /** The path is a better one now: what came of it before says nothing. */
  reset(): void;
  /** 0 to {@link most}; 1 is what was predicted. */
  value(nowMs: number): number;
  /** When something last ended, in milliseconds. */
  readonly learntMs: number;
}

const firstRecoveryMs = 4_000;
const maxRecoveryMs = 32_000;
/** A visit that lasted so long was not in vain, whatever ended it. */
const stableMs = 8_000;
const least = 0.02;
/** What of the trust, or of what is missing, a probe decides. */
const probeShare = 0.5;
/** A candidate that does better than predicted is not left for one that promises as much. */
const most = 1.5;
/** Among so few frames, less than all is still all that was predicted. */
const enough = 0.85;

export function createTrust(): Trust {
  let share = 1;
  let learntMs = Number.NEGATIVE_INFINITY;
  let recoveryMs = firstRecoveryMs;
  let leftMs = Number.NEGATIVE_INFINITY;

  function shareAt(nowMs: number): number {
    const idleMs = Math.max(0, nowMs - learntMs);
    return 1 - (1 - share) * 0.5 ** (idleMs / recoveryMs);
  }

  return {
    add(onTime, expected, window, nowMs) {
      // Where little was expected, a frame that is not in time says little.
      const now = shareAt(nowMs);
      share = Math.min(most, Math.max(least, now + ((onTime ? 1 : 0) - expected * now) / window));
      learntMs = nowMs;
    },
    addProbe(onTime, nowMs) {
      const now = shareAt(nowMs);
      // One that comes through alone says less the more often many have not.
      const step = probeShare * (firstRecoveryMs / recoveryMs) ** 2;
      share = onTime ? Math.max(now, now + (1 - now) * step) : Math.max(least, now * (1 - probeShare));
      learntMs = nowMs;
    },
    leftInVain(nowMs) {
      recoveryMs =
        nowMs - leftMs > stableMs + recoveryMs ? firstRecoveryMs : Math.min(maxRecoveryMs, 2 * recoveryMs);
      leftMs = nowMs;
    },
    reset() {
      share = 1;
      recoveryMs = firstRecoveryMs;
      learntMs = leftMs = Number.NEGATIVE_INFINITY;
    },
    value(nowMs) {
      const now = shareAt(nowMs);
      return now < 1 ? Math.min(1, now / enough) : now;
    },
    get learntMs() {
      return learntMs;
    },
  };
}
