import { encodeDelimitedControl, type OutgoingControl } from "./control-message.js";
import { ErrorCode, ProtocolError } from "./error-code.js";
import { maxQueuedControlBytes } from "./limits.js";

/** The reliable way to the peer: messages in order, ready for the control stream. */
export interface ControlLane {
  /** @throws ProtocolError overloaded where the peer has not read for so long that the bound is reached. */
  push(message: OutgoingControl): void;
  /** The next bytes for the stream. */
  poll(): Uint8Array | undefined;
}

export function createControlLane(): ControlLane {
  const queue: Uint8Array[] = [];
  let bytes = 0;
  return {
    push(message) {
      const encoded = encodeDelimitedControl(message);
      if (bytes + encoded.length > maxQueuedControlBytes) {
        throw new ProtocolError(ErrorCode.overloaded, "control stream: the peer does not read it");
      }
      bytes += encoded.length;
      queue.push(encoded);
    },
    poll() {
      const next = queue.shift();
      bytes -= next?.length ?? 0;
      return next;
    },
  };
}
