import { encodeControl, type OutgoingControl } from "./control-message.js";
import { controlItemBytes, encodeControlItem } from "./datagram.js";

/** The quick way to the peer: messages that may be lost, for the next datagram (spec 5.4). */
export interface LossyLane {
  push(message: OutgoingControl): void;
  /** Writes what fits behind `offset` and returns the offset behind it. */
  fill(dst: Uint8Array, offset: number, maxBytes: number): number;
  readonly isEmpty: boolean;
}

/** Messages that wait at most; the oldest is dropped, as a network would. */
const maxWaiting = 1_024;

export function createLossyLane(): LossyLane {
  const queue: Uint8Array[] = [];
  return {
    push(message) {
      if (queue.length >= maxWaiting) queue.shift();
      queue.push(encodeControl(message));
    },
    fill(dst, offset, maxBytes) {
      let at = offset;
      while (queue.length > 0 && at + controlItemBytes(queue[0]!) <= maxBytes) {
        at = encodeControlItem(dst, at, queue.shift()!);
      }
      // What fits no datagram of this size would stand in the way of all others.
      if (at === offset && queue.length > 0) queue.shift();
      return at;
    },
    get isEmpty() {
      return queue.length === 0;
    },
  };
}
