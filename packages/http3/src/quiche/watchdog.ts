/** How a watchdog judges. */
export interface WatchdogLimits {
  /** How often somebody looks, in milliseconds. */
  readonly intervalMs: number;
  /** So many looks in time without a sign of life mean that it hangs. */
  readonly looks: number;
  /** How long it may take to start, in milliseconds. */
  readonly startMs: number;
}

/** A hang is found after 5 s; the thread that is watched gives a sign every 50 ms. */
export const DEFAULT_WATCHDOG: WatchdogLimits = { intervalMs: 1000, looks: 5, startMs: 60_000 };

/** A look that comes so many intervals after the one before says that this thread did not run, or the machine. */
const LATE_INTERVALS = 1.5;
/** So many late looks count as one in time, for a thread whose looks are always late. */
const LATE_LOOKS = 6;

/**
 * Judges whether a thread hangs by a counter that it raises. Pure. A look that comes late counts for little: a
 * machine that is busy or was asleep keeps both threads from running, and a false alarm costs every session.
 */
export class Watchdog {
  #beat: number | undefined;
  #silentLooks = 0;
  #lastLookMs: number;

  constructor(
    readonly limits: WatchdogLimits,
    nowMs: number,
  ) {
    this.#lastLookMs = nowMs;
  }

  /** Looks at the counter, which is 0 until the thread has started; returns whether it hangs. */
  look(beat: number, nowMs: number): boolean {
    const { intervalMs, looks, startMs } = this.limits;
    const isLate = nowMs - this.#lastLookMs > intervalMs * LATE_INTERVALS;
    this.#lastLookMs = nowMs;
    if (beat !== this.#beat) {
      this.#beat = beat;
      this.#silentLooks = 0;
      return false;
    }
    this.#silentLooks += isLate ? 1 / LATE_LOOKS : 1;
    return this.#silentLooks >= (beat === 0 ? startMs / intervalMs : looks);
  }
}
