import { frameKey } from "./frame-key.js";
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
  const waiting = new Set<number>();
  return {
    add(stream, frame) {
      waiting.add(frameKey(stream, frame));
      // A client that acknowledges nothing costs no more than this.
      if (waiting.size > maxUnacknowledgedResults) waiting.delete(waiting.values().next().value!);
    },
    acknowledge(stream, frames) {
      for (const frame of frames) waiting.delete(frameKey(stream, frame));
    },
    get size() {
      return waiting.size;
    },
  };
}
