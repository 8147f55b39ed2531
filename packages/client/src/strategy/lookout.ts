/**
 * Before all frames leave for a path that was not in use, one goes: what is known of the path may be long past, and a frame
 * beside the choice costs less than many of the choice.
 */
export interface Lookout {
  /** Whether one with at least so many bytes came through lately. */
  isSeen(bytes: number, nowMs: number): boolean;
  /** Whether one may go now. */
  mayLook(nowMs: number): boolean;
  looked(): void;
  /** One is under way. */
  readonly isLooking: boolean;
  /** Any frame beside the choice has ended. */
  ended(bytes: number, onTime: boolean, nowMs: number): void;
}

/** How long that says something. */
const seenMs = 1_500;
/** How long nothing is tried after one that was in vain: twice as long each time. */
const leastPauseMs = 250;
const mostPauseMs = 2_000;

export function createLookout(): Lookout {
  let seenBytes = 0;
  let seenAtMs = Number.NEGATIVE_INFINITY;
  let isLooking = false;
  let pauseMs = leastPauseMs;
  let fromMs = Number.NEGATIVE_INFINITY;
  return {
    isSeen: (bytes, nowMs) => bytes <= seenBytes && nowMs - seenAtMs < seenMs,
    mayLook: (nowMs) => !isLooking && nowMs >= fromMs,
    looked() {
      isLooking = true;
    },
    get isLooking() {
      return isLooking;
    },
    ended(bytes, onTime, nowMs) {
      if (onTime) {
        // One of few bytes takes nothing from what one of more has shown.
        if (bytes >= seenBytes || nowMs - seenAtMs > seenMs / 2) seenBytes = bytes;
        seenAtMs = nowMs;
        pauseMs = leastPauseMs;
      } else if (isLooking) {
        fromMs = nowMs + pauseMs;
        pauseMs = Math.min(mostPauseMs, 2 * pauseMs);
      }
      isLooking = false;
    },
  };
}
