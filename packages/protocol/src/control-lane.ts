import { encodeDelimitedControl, type OutgoingControl } from "./control-message.js";
import { maxQueuedControlBytes } from "./limits.js";

/** The reliable way to the peer: messages in order, ready for the control stream (spec 4.1). */
export interface ControlLane {
  /** Queues a message; false, and nothing is queued, where the peer has not read for so long that the bound is reached. */
  push(message: OutgoingControl): boolean;
  /** The next bytes for the stream. */
  poll(): Uint8Array | undefined;
}

export function createControlLane(): ControlLane {
  const queue: Uint8Array[] = [];
  let bytes = 0;
  return {
    push(message) {
      const encoded = encodeDelimitedControl(message);
      if (bytes + encoded.length > maxQueuedControlBytes) return false;
      bytes += encoded.length;
      queue.push(encoded);
      return true;
    },
    poll() {
      const next = queue.shift();
      bytes -= next?.length ?? 0;
      return next;
    },
  };
}
