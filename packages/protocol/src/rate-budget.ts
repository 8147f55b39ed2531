/**
 * What frames have taken of a rate and the rate has not yet made up for: a leaky bucket, in bytes. Pauses stand beside it, in
 * time: one of a rate that was too high would be one of seconds at a lower rate.
 */
export interface RateBudget {
  /** Takes bytes; negative ones are given back. */
  charge(bytes: number, nowMs: number): void;
  /** Nothing is made up for meanwhile. */
  pause(ms: number, nowMs: number): void;
  setRate(bitsPerSecond: number, nowMs: number): void;
  /** How long until everything that was taken is made up for, in milliseconds; 0 while the rate is not known. */
  waitMs(nowMs: number): number;
}

/**
 * What has left longer ago is in no queue: the path has carried it. More is no debt, however many frames were let in while
 * nothing was known of the path, or how far the rate has fallen since.
 */
const mostMs = 500;
/** One frame may wait behind the one that is being sent, however long those take. */
const mostFrames = 2;

export function createRateBudget(): RateBudget {
  let bytesPerMs = Number.POSITIVE_INFINITY;
  let backlogBytes = 0;
  let frameBytes = 0;
  let pausedMs = 0;
  let drainedMs = 0;

  function drain(nowMs: number): void {
    const passedMs = Math.max(0, nowMs - drainedMs);
    const drainMs = Math.max(0, passedMs - pausedMs);
    pausedMs = Math.max(0, pausedMs - passedMs);
    // Infinitely fast before the rate is known: of no time that is nothing.
    if (drainMs > 0) backlogBytes = Math.max(0, backlogBytes - drainMs * bytesPerMs);
    drainedMs = Math.max(drainedMs, nowMs);
  }

  function bound(): void {
    backlogBytes = Math.min(backlogBytes, Math.max(mostMs * bytesPerMs, mostFrames * frameBytes));
  }

  return {
    charge(bytes, nowMs) {
      drain(nowMs);
      if (bytes > 0) frameBytes = bytes;
      backlogBytes = Math.max(0, backlogBytes + bytes);
      bound();
    },
    pause(ms, nowMs) {
      drain(nowMs);
      pausedMs = Math.min(mostMs, pausedMs + ms);
    },
    setRate(bitsPerSecond, nowMs) {
      drain(nowMs);
      bytesPerMs = bitsPerSecond / 8_000;
      bound();
    },
    waitMs(nowMs) {
      drain(nowMs);
      return pausedMs + backlogBytes / bytesPerMs;
    },
  };
}
