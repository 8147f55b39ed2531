/** When a path that is not in use is looked at again: soon at first, then less often while nothing comes of it. */
export interface ProbeTimer {
  isDue(nowMs: number): boolean;
  started(nowMs: number): void;
  ended(onTime: boolean, nowMs: number): void;
  /** Another choice was made. */
  switched(nowMs: number): void;
}

/** The longest wait, in intervals. */
const most = 2;

export function createProbeTimer(intervalMs: number): ProbeTimer {
  let waitMs = intervalMs / 2;
  let nextMs = Number.NEGATIVE_INFINITY;
  let isRunning = false;
  return {
    isDue: (nowMs) => !isRunning && nowMs >= nextMs,
    started(nowMs) {
      isRunning = true;
      nextMs = nowMs + waitMs;
    },
    ended(onTime, nowMs) {
      isRunning = false;
      // A path that was slow a moment ago need not be asked at once; one that answers is looked at at its pace.
      waitMs = onTime ? intervalMs : Math.min(most * intervalMs, 2 * waitMs);
      nextMs = Math.max(nextMs, nowMs + (onTime ? 0 : waitMs / 2));
    },
    switched(nowMs) {
      waitMs = intervalMs / 2;
      nextMs = nowMs + waitMs;
    },
  };
}
