/** When a choice may be left for a better one: not for a little, and not at once, the less so the shorter the last ones lasted. */
import type { Prediction } from "./strategy-api.js";

export interface Hysteresis {
  mayLeave(now: Prediction, best: Prediction, nowMs: number): boolean;
  /**
   * Another choice was made.
   * @param settleMs how long what the last one left behind is in its way
   * @param isForced the last one could not go on, whatever came of it
   */
  switched(nowMs: number, settleMs: number, isForced: boolean): void;
  /** From when on frames say something of the present choice. */
  readonly settledMs: number;
  readonly chosenMs: number;
}

/** A choice that brings less than this share of the best one is left sooner. */
const collapseShare = 0.5;
/** ... but for so long after it was taken: estimates need a few results. */
const leastDwellMs = 300;
/** Twice as long after each choice that lasted no longer than this: where all fail, changing costs most. */
const hastyMs = 2_000;
const maxHasty = 3;

export function createHysteresis(minDwellMs: number, minGain: number): Hysteresis {
  let chosenMs = Number.NEGATIVE_INFINITY;
  let settledMs = Number.NEGATIVE_INFINITY;
  /** Choices in a row that did not last. */
  let hasty = 0;
  return {
    mayLeave(now, best, nowMs) {
      if (now.totalMs === Number.POSITIVE_INFINITY) return best.totalMs < now.totalMs;
      const leastMs = leastDwellMs * 2 ** hasty;
      const dwellMs = nowMs - settledMs;
      // A late result is more than none, and shows what this side can do now.
      if (now.score <= 0) return dwellMs >= leastMs && (best.score > 0 || best.totalMs < now.totalMs / 2);
      if (best.score <= now.score * (1 + minGain * (1 + hasty))) return false;
      return dwellMs >= (now.score < collapseShare * best.score ? leastMs : Math.max(minDwellMs, leastMs));
    },
    switched(nowMs, settleMs, isForced) {
      if (!isForced) hasty = nowMs - chosenMs < hastyMs ? Math.min(maxHasty, hasty + 1) : 0;
      chosenMs = nowMs;
      settledMs = nowMs + settleMs;
    },
    get settledMs() {
      return settledMs;
    },
    get chosenMs() {
      return chosenMs;
    },
  };
}
