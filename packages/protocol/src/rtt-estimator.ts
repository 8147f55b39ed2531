import { createLatestMedian } from "./latest-median.js";

/** Round-trip time from samples: smoothed and varied as in RFC 9002 5.3, and the minimum of the last seconds. */
export interface RttEstimator {
  add(sampleMs: number, nowMs: number): void;
  /** Smoothed, in milliseconds; `undefined` before the first sample. */
  readonly smoothedMs: number | undefined;
  readonly variationMs: number;
  /** The smallest sample of the last ten seconds. */
  readonly minMs: number | undefined;
  /**
   * Smoothed, but not much more than what is common lately: processes that start, or have no core, hold a few pings up by
   * several round trips, and smoothing remembers them for seconds.
   */
  readonly commonMs: number | undefined;
}

const windowMs = 10_000;
/** Less than two seconds of a session that is in use. */
const commonSamples = 7;
/** What queues and jitter add to the median. */
const commonFactor = 1.25;

export function createRttEstimator(): RttEstimator {
  let smoothedMs: number | undefined;
  let variationMs = 0;
  let minMs: number | undefined;
  let minAtMs = 0;
  const median = createLatestMedian(commonSamples);
  return {
    add(sampleMs, nowMs) {
      if (!(sampleMs >= 0)) return;
      median.add(sampleMs);
      if (minMs === undefined || sampleMs <= minMs || nowMs - minAtMs > windowMs) {
        minMs = sampleMs;
        minAtMs = nowMs;
      }
      if (smoothedMs === undefined) {
        smoothedMs = sampleMs;
        variationMs = sampleMs / 2;
      } else {
        variationMs += (Math.abs(smoothedMs - sampleMs) - variationMs) / 4;
        smoothedMs += (sampleMs - smoothedMs) / 8;
      }
    },
    get smoothedMs() {
      return smoothedMs;
    },
    get variationMs() {
      return variationMs;
    },
    get minMs() {
      return minMs;
    },
    get commonMs() {
      return smoothedMs === undefined ? undefined : Math.min(smoothedMs, commonFactor * median.value!);
    },
  };
}
