/** What a server works on at once, and what comes in excess of its announced limits (spec 4.4). */
import {
  firstUnheardMs,
  forgivenFramesPerSecond,
  maxExcessFrames,
  maxUnheardMs,
  newcomerExcessFrames,
  patientExcessFrames,
  probationMs,
  relapseExcessFrames,
  type SessionLimits,
} from "./limits.js";
import { createRateLimiter } from "./rate-limiter.js";
import type { ReceivedFrame } from "./reassembly.js";
import { bytesOf } from "./send-buffer.js";

export interface Admission {
  /** Whether a frame is to be worked on; it counts as in flight then. */
  tryStart(frame: ReceivedFrame, nowMs: number): boolean;
  /** A frame was not to be worked on: whether that may happen, or the client takes no notice of its limits. */
  tolerates(nowMs: number): boolean;
  /** How long the client should hardly be heard, in milliseconds; 0 as a rule. To be asked of each frame that is not to be worked on. */
  unheardMs(nowMs: number): number;
  /** A frame was answered. */
  finished(): void;
  setLimits(limits: SessionLimits): void;
  readonly framesInFlight: number;
}

/** Frames that a client may send at once after a pause without being shed by the rate limit. */
const toleratedBurst = 3;
/** Bytes of so much time may come at once without being shed. */
const toleratedBytesMs = 1_000;
/** How long it takes to forgive what lies between so much excess and the one that costs a client the session. */
const forgivenInMs = (frames: number) => ((maxExcessFrames - frames) * 1_000) / forgivenFramesPerSecond;

/** @param startMs when the session began */
export function createAdmission(announced: SessionLimits, startMs: number): Admission {
  const limiter = createRateLimiter(announced.framesPerSecond, { burst: toleratedBurst });
  const byteLimiter = createRateLimiter(announced.maxBytesPerSecond, { ms: toleratedBytesMs });
  const excess = createRateLimiter(forgivenFramesPerSecond, { burst: maxExcessFrames });
  let { maxFramesInFlight } = announced;
  /** The highest so far, infinity for none: a client keeps to it until it hears of a lower one. */
  let highestRate = announced.framesPerSecond || Number.POSITIVE_INFINITY;
  let framesInFlight = 0;
  /** How often in a row it has gone on, and until when it is hardly heard. */
  let lapses = 0;
  let unheardUntilMs = Number.NEGATIVE_INFINITY;

  /**
   * What the network has held up for a second comes at once, and is forgiven. Of a session that has just begun it can hold
   * up no more than the rate has let it send so far.
   */
  function patientFrames(nowMs: number): number {
    if (highestRate === Number.POSITIVE_INFINITY) return patientExcessFrames;
    const inASecond = Math.max(relapseExcessFrames, Math.min(patientExcessFrames, highestRate));
    return Math.min(inASecond, newcomerExcessFrames + (highestRate * (nowMs - startMs)) / 1_000);
  }

  return {
    tryStart(frame, nowMs) {
      if (maxFramesInFlight > 0 && framesInFlight >= maxFramesInFlight) return false;
      if (Math.max(limiter.freeAtMs(), byteLimiter.freeAtMs()) > nowMs) return false;
      limiter.take(nowMs);
      byteLimiter.take(nowMs, bytesOf(frame.slices));
      framesInFlight++;
      return true;
    },
    tolerates(nowMs) {
      if (excess.freeAtMs() > nowMs) return false;
      excess.take(nowMs);
      return true;
    },
    unheardMs(nowMs) {
      if (nowMs > unheardUntilMs + probationMs) lapses = 0;
      const patientMs = forgivenInMs(lapses === 0 ? patientFrames(nowMs) : relapseExcessFrames);
      if (excess.freeAtMs() + patientMs <= nowMs) return 0;
      if (nowMs >= unheardUntilMs)
        unheardUntilMs = nowMs + Math.min(maxUnheardMs, firstUnheardMs * 2 ** lapses++);
      return unheardUntilMs - nowMs;
    },
    finished() {
      framesInFlight--;
    },
    setLimits(limits) {
      maxFramesInFlight = limits.maxFramesInFlight;
      limiter.setLimit(limits.framesPerSecond);
      highestRate = Math.max(highestRate, limits.framesPerSecond || Number.POSITIVE_INFINITY);
      byteLimiter.setLimit(limits.maxBytesPerSecond);
    },
    get framesInFlight() {
      return framesInFlight;
    },
  };
}
