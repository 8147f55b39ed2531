/** The client's view of what the server allows (spec 4.4): kept before anything is sent, so that nothing is refused. */
import { elementCount } from "@sluice/tensor";
import { ErrorCode } from "./error-code.js";
import type { SessionLimits } from "./limits.js";
import { createRateLimiter } from "./rate-limiter.js";
import type { TensorStreamOptions } from "./tensor-stream.js";

export interface AnnouncedLimits {
  /** Limits have come; they hold from now on. */
  set(limits: SessionLimits): void;
  /** `undefined` before the first. */
  readonly current: SessionLimits | undefined;
  /** Why a stream would be refused, with `openStreams` accepted ones; `undefined`: it is asked for. */
  refusal(
    options: TensorStreamOptions,
    openStreams: number,
  ): { readonly code: number; readonly reason: string } | undefined;
  /** When the rates allow the next frame; in the past where they allow it now. */
  freeAtMs(): number;
  /** A frame starts now. */
  frameStarted(nowMs: number): void;
  /** A frame's slices are handed over now: so many payload bytes. */
  bytesStarted(bytes: number, nowMs: number): void;
}

export function createAnnouncedLimits(): AnnouncedLimits {
  const frames = createRateLimiter(0);
  const bytes = createRateLimiter(0);
  let current: SessionLimits | undefined;
  return {
    set(limits) {
      current = limits;
      frames.setLimit(limits.framesPerSecond);
      bytes.setLimit(limits.maxBytesPerSecond);
    },
    get current() {
      return current;
    },
    refusal({ spec }, openStreams) {
      if (!current) return undefined;
      const { maxStreams, maxTensorElements } = current;
      const elements = elementCount(spec.shape);
      if (maxTensorElements > 0 && elements > maxTensorElements) {
        const reason = `shape: ${elements} elements, the server allows ${maxTensorElements} (max_tensor_elements)`;
        return { code: ErrorCode.tensorTooLarge, reason };
      }
      if (maxStreams > 0 && openStreams >= maxStreams) {
        const reason = `${openStreams} tensor streams are open, the server allows ${maxStreams} (max_streams): close one first`;
        return { code: ErrorCode.limitExceeded, reason };
      }
      return undefined;
    },
    freeAtMs: () => Math.max(frames.freeAtMs(), bytes.freeAtMs()),
    frameStarted: (nowMs) => frames.take(nowMs),
    bytesStarted: (count, nowMs) => bytes.take(nowMs, count),
  };
}
