/** What a server works on at once, and what comes in excess of its announced limits (spec 4.4). */
import {
  forgivenFramesPerSecond,
  maxExcessFrames,
  maxUnheardMs,
  patientExcessFrames,
  respiteExcessFrames,
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
  /** How long the client need not be heard, in milliseconds: until enough of its excess is forgiven; 0 as a rule. */
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
/** What is forgiven between the excess that costs a client a pause and the one that costs it the session. */
const patienceMs = ((maxExcessFrames - patientExcessFrames) * 1_000) / forgivenFramesPerSecond;
const respiteMs = (respiteExcessFrames * 1_000) / forgivenFramesPerSecond;

export function createAdmission(announced: SessionLimits): Admission {
  const limiter = createRateLimiter(announced.framesPerSecond, { burst: toleratedBurst });
  const byteLimiter = createRateLimiter(announced.maxBytesPerSecond, { ms: toleratedBytesMs });
  const excess = createRateLimiter(forgivenFramesPerSecond, { burst: maxExcessFrames });
  let { maxFramesInFlight } = announced;
  let framesInFlight = 0;
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
      const overMs = excess.freeAtMs() + patienceMs - nowMs;
      return overMs > 0 ? Math.min(maxUnheardMs, overMs + respiteMs) : 0;
    },
    finished() {
      framesInFlight--;
    },
    setLimits(limits) {
      maxFramesInFlight = limits.maxFramesInFlight;
      limiter.setLimit(limits.framesPerSecond);
      byteLimiter.setLimit(limits.maxBytesPerSecond);
    },
    get framesInFlight() {
      return framesInFlight;
    },
  };
}
