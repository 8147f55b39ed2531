import { H3_CODE } from "../h3/error.js";
import { type QuicStreams, STREAM } from "./quic-streams.js";

/** The first of the stream types that are reserved for padding, and that every peer ignores (RFC 9114 6.2.3). */
const RESERVED_TYPE = 0x21;

/** Unidirectional streams without a meaning, which fill the packets that measure a path. */
export class PaddingStreams {
  #bytes = new Uint8Array([RESERVED_TYPE]);

  constructor(
    readonly quic: QuicStreams,
    /** The id of our next unidirectional stream; `commit` says that it is open. */
    readonly ids: { readonly nextUnidirectionalId: number; commitUnidirectionalId(): void },
  ) {}

  /** Queues `bytes` and an end in front of all other streams. Returns the stream's id, or `undefined`. */
  open(bytes: number): number | undefined {
    if (this.#bytes.byteLength < bytes) {
      this.#bytes = new Uint8Array(bytes);
      this.#bytes[0] = RESERVED_TYPE;
    }
    const id = this.ids.nextUnidirectionalId;
    this.quic.sendFirst(id);
    const taken = this.quic.send(id, this.#bytes.subarray(0, bytes), true);
    if (taken < 0 && taken !== STREAM.BLOCKED) return undefined;
    this.ids.commitUnidirectionalId();
    if (taken === bytes) return id;
    this.abandon(id); // Flow control had no room for all of it.
    return undefined;
  }

  /** Whether the peer has it all, or has refused it, which it can only do once it came. */
  hasArrived(id: number): boolean {
    return this.quic.checkStopped(id) !== 0;
  }

  abandon(id: number): void {
    this.quic.resetSend(id, H3_CODE.NO_ERROR); // RFC 9114 6.2.3
  }
}
