import { createFrameTable } from "./frame-table.js";
import { maxUnacknowledgedResults } from "./limits.js";

/**
 * Results that went the reliable way and that the client has not acknowledged: a drain waits for them, because what the
 * transport has taken is not what the client has (spec 2.4). They are never repeated.
 */
export interface UnconfirmedResults {
  add(stream: number, frame: number): void;
  acknowledge(stream: number, frames: readonly number[]): void;
  readonly size: number;
}

export function createUnconfirmedResults(): UnconfirmedResults {
  const waiting = createFrameTable<true>();
  return {
    add(stream, frame) {
      waiting.set(stream, frame, true);
      // A client that acknowledges nothing costs no more than this.
      if (waiting.size > maxUnacknowledgedResults) waiting.shift();
    },
    acknowledge(stream, frames) {
      for (const frame of frames) waiting.take(stream, frame);
    },
    get size() {
      return waiting.size;
    },
  };
}
