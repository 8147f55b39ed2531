import { H3_CODE, H3Error } from "./error.js";
import { createControlReader, type H3Role } from "./frame.js";
import type { TlvReader } from "./tlv-reader.js";

/** Receives what the peer's control stream says. */
export interface PeerControlEvents {
  onSettings(payload: Uint8Array): void;
  /** Client: requests on stream `id` and above are not processed, and no more may come (RFC 9114 5.2). */
  onGoaway(id: number): void;
}

/** The peer's control stream: its frames, and the rules for the order of the ids in them. */
export class PeerControl {
  readonly #frames: TlvReader;
  #goawayId = Number.POSITIVE_INFINITY;
  #maxPushId = -1;

  constructor(role: H3Role, events: PeerControlEvents) {
    this.#frames = createControlReader(role, {
      onSettings: (payload) => events.onSettings(payload),
      onGoaway: (id, lowBits) => {
        // RFC 9114 7.2.6: a server names a client-initiated bidirectional stream; a client names a push.
        if (role === "client" && lowBits !== 0)
          throw new H3Error(H3_CODE.ID_ERROR, `GOAWAY names stream ${id}`);
        // RFC 9114 5.2: the id may only go down.
        if (id > this.#goawayId) throw new H3Error(H3_CODE.ID_ERROR, `GOAWAY ${id} after ${this.#goawayId}`);
        this.#goawayId = id;
        if (role === "client") events.onGoaway(id);
      },
      onCancelPush(id) {
        // RFC 9114 7.2.3: we promise no push as a server, and allow none as a client.
        throw new H3Error(H3_CODE.ID_ERROR, `CANCEL_PUSH of ${id}, which was never promised`);
      },
      onMaxPushId: (id) => {
        // RFC 9114 7.2.7: the limit may only go up.
        if (id < this.#maxPushId)
          throw new H3Error(H3_CODE.ID_ERROR, `MAX_PUSH_ID ${id} after ${this.#maxPushId}`);
        this.#maxPushId = id;
      },
    });
  }

  push(bytes: Uint8Array): void {
    this.#frames.push(bytes);
  }
}
