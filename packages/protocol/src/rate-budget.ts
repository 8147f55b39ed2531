/** What frames have taken of a rate and the rate has not yet made up for: a leaky bucket, in bytes. */
export interface RateBudget {
  /** Takes bytes; negative ones are given back. */
  charge(bytes: number, nowMs: number): void;
  setRate(bitsPerSecond: number, nowMs: number): void;
  /** How long until everything that was taken is made up for, in milliseconds; 0 while the rate is not known. */
  waitMs(nowMs: number): number;
}

export function createRateBudget(): RateBudget {
  let bytesPerMs = Number.POSITIVE_INFINITY;
  let backlogBytes = 0;
  let drainedMs = 0;

  function drain(nowMs: number): void {
    const drained = nowMs > drainedMs ? (nowMs - drainedMs) * bytesPerMs : 0;
    backlogBytes = Math.max(0, backlogBytes - drained);
    drainedMs = Math.max(drainedMs, nowMs);
  }

  return {
    charge(bytes, nowMs) {
      drain(nowMs);
      backlogBytes = Math.max(0, backlogBytes + bytes);
    },
    setRate(bitsPerSecond, nowMs) {
      drain(nowMs);
      bytesPerMs = bitsPerSecond / 8_000;
    },
    waitMs(nowMs) {
      drain(nowMs);
      return backlogBytes / bytesPerMs;
    },
  };
}
