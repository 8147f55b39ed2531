/**
 * How much of what is predicted of a candidate comes true. Estimates of a path lag behind it and know nothing of what
 * they do not model: what came of a candidate lately counts more. Trust that was lost comes back with time, more slowly
 * after each visit that was in vain, or two candidates would take turns in failing.
 */
export interface Trust {
  /** A frame offered while the candidate was in use has ended; `expected` of such frames were to be in time, 0 to 1. */
  add(onTime: boolean, expected: number, nowMs: number): void;
  /** A probe has ended. */
  addProbe(onTime: boolean, nowMs: number): void;
  /** The candidate was left because less came of it than was predicted. */
  leftInVain(nowMs: number): void;
  /** The path is a better one now: what came of it before says nothing. */
  reset(): void;
  /** 0 to 1. */
  value(nowMs: number): number;
}

/** About so many frames decide. */
const window = 12;
const firstRecoveryMs = 4_000;
const maxRecoveryMs = 32_000;
/** A visit that lasted so long was not in vain, whatever ended it. */
const stableMs = 8_000;
const least = 0.02;
/** Among so few frames, less than all is still all that was predicted. */
const enough = 0.85;

export function createTrust(): Trust {
  let share = 1;
  let atMs = Number.NEGATIVE_INFINITY;
  let recoveryMs = firstRecoveryMs;
  let leftMs = Number.NEGATIVE_INFINITY;

  function shareAt(nowMs: number): number {
    const idleMs = Math.max(0, nowMs - atMs);
    return 1 - (1 - share) * 0.5 ** (idleMs / recoveryMs);
  }

  return {
    add(onTime, expected, nowMs) {
      // Where little was expected, little is learnt.
      if (expected <= 0) return;
      const now = shareAt(nowMs);
      const seen = onTime ? 1 / Math.max(expected, 0.2) : 0;
      share = Math.min(1, Math.max(least, now + (seen - now) / window));
      atMs = nowMs;
    },
    addProbe(onTime, nowMs) {
      const now = shareAt(nowMs);
      share = onTime ? (1 + now) / 2 : Math.max(least, now / 2);
      atMs = nowMs;
    },
    leftInVain(nowMs) {
      recoveryMs =
        nowMs - leftMs > stableMs + recoveryMs ? firstRecoveryMs : Math.min(maxRecoveryMs, 2 * recoveryMs);
      leftMs = nowMs;
    },
    reset() {
      share = 1;
      recoveryMs = firstRecoveryMs;
      atMs = leftMs = Number.NEGATIVE_INFINITY;
    },
    value: (nowMs) => Math.min(1, shareAt(nowMs) / enough),
  };
}
