/** When a path that is not in use is looked at again: soon at first, then less often while nothing comes of it. */
export interface ProbeTimer {
  /** @param patience what of the usual wait is to be kept, above 0 and at most 1 */
  isDue(nowMs: number, patience: number): boolean;
  started(nowMs: number): void;
  /** @param isSurprise it did far better than expected: another one is to confirm it at once */
  ended(onTime: boolean, isSurprise: boolean, nowMs: number): void;
  /** The probe was not sent. */
  turnedAway(nowMs: number): void;
  /** Another choice was made. */
  switched(nowMs: number): void;
}

/** The longest wait, in intervals. */
const most = 2;
/** A probe that was not sent is tried again after this share of the wait. */
const retryShare = 1 / 4;
/** Surprises in a row that are followed up. */
const maxSurprises = 3;

export function createProbeTimer(intervalMs: number): ProbeTimer {
  let waitMs = intervalMs / 2;
  let fromMs = Number.NEGATIVE_INFINITY;
  let isRunning = false;
  let surprises = 0;
  return {
    isDue: (nowMs, patience) => !isRunning && nowMs >= fromMs + patience * waitMs,
    started(nowMs) {
      isRunning = true;
      fromMs = nowMs;
    },
    ended(onTime, isSurprise, nowMs) {
      isRunning = false;
      surprises = isSurprise ? surprises + 1 : 0;
      // A path that was slow a moment ago need not be asked at once; one that answers is looked at at its pace.
      waitMs = onTime ? intervalMs : Math.min(most * intervalMs, 2 * waitMs);
      if (isSurprise && surprises <= maxSurprises) fromMs = nowMs - waitMs;
      else if (!onTime) fromMs = Math.max(fromMs, nowMs - waitMs / 2);
    },
    turnedAway(nowMs) {
      isRunning = false;
      fromMs = nowMs - (1 - retryShare) * waitMs;
    },
    switched(nowMs) {
      waitMs = intervalMs / 2;
      fromMs = nowMs;
      surprises = 0;
    },
  };
}
