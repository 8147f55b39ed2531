import { encodeVarint, varintBytes } from "../h3/varint.js";
import { BIDIRECTIONAL_SIGNAL, UNIDIRECTIONAL_TYPE } from "./incoming-streams.js";
import { type QuicStreams, STREAM } from "./quic-streams.js";
import type { WebTransportSession } from "./session.js";
import { type StreamEvents, WebTransportStream } from "./stream.js";

/** The streams of a connection's sessions: their ids, which of them have something to send, and their end. */
export class StreamTable {
  readonly #byId = new Map<number, WebTransportStream>();
  readonly #bySession = new Map<WebTransportSession, Set<WebTransportStream>>();
  /** Streams that have something to send, in the order in which they asked. */
  readonly #pending = new Set<WebTransportStream>();
  #nextUni: number;
  #nextBidi: number;

  constructor(
    readonly quic: QuicStreams,
    readonly events: StreamEvents,
    options: {
      /** Of HTTP/3's control stream, ours; the other unidirectional ones follow it. */
      controlId: number;
      /** Id of our first bidirectional stream. */
      firstBidi: number;
      /** Bytes that a stream hands out before its reader grants more. */
      receiveWindowBytes: number;
    },
  ) {
    this.controlId = options.controlId;
    this.#nextUni = options.controlId + 4;
    this.#nextBidi = options.firstBidi;
    this.receiveWindowBytes = options.receiveWindowBytes;
  }

  readonly controlId: number;
  readonly receiveWindowBytes: number;

  /** Streams that have their id. */
  get size(): number {
    return this.#byId.size;
  }

  get(id: number): WebTransportStream | undefined {
    return this.#byId.get(id);
  }

  /** The id of a bidirectional stream that is opened by whoever asks. */
  takeBidirectionalId(): number {
    const id = this.#nextBidi;
    this.#nextBidi += 4;
    return id;
  }

  /** A stream of ours; it waits where the peer allows no more for now. `handle` names it in the events. */
  open(session: WebTransportSession, handle: number, isBidirectional: boolean): WebTransportStream {
    const stream = this.#create(session, handle, { id: -1, canSend: true, canReceive: isBidirectional });
    const type = isBidirectional ? BIDIRECTIONAL_SIGNAL : UNIDIRECTIONAL_TYPE;
    const header = new Uint8Array(varintBytes(type) + varintBytes(session.id));
    encodeVarint(header, encodeVarint(header, 0, type), session.id);
    stream.pushHeader(header);
    this.#pending.add(stream);
    return stream;
  }

  /** A stream of the peer, whose id is its name in the events as well. */
  adopt(session: WebTransportSession, id: number): WebTransportStream {
    const canSend = (id & 2) === 0; // RFC 9000 2.1
    const stream = this.#create(session, id, { id, canSend, canReceive: true });
    this.#byId.set(id, stream);
    return stream;
  }

  markPending(stream: WebTransportStream): void {
    if (stream.wantsToSend) this.#pending.add(stream);
  }

  /**
   * Hands to the engine what it takes now; `false` where there is nothing to send. Who asked first is served first, as far
   * as the connection takes bytes: a stream that is over early is of more use than two that are over late, and offering
   * the bytes of every stream to a connection that is full costs more than sending them.
   */
  flush(): boolean {
    if (this.#pending.size === 0) return false;
    let isFull = this.#isFull();
    for (const stream of this.#pending) {
      if (isFull && stream.hasBytes) continue;
      this.#flushStream(stream);
      if (!isFull && stream.hasBytes) isFull = this.#isFull();
    }
    return true;
  }

  checkStopped(): void {
    for (const stream of this.#byId.values()) {
      stream.checkStopped(this.quic);
      this.forgetIfDone(stream);
    }
  }

  forgetIfDone(stream: WebTransportStream): void {
    if (!stream.isDone) return;
    this.#pending.delete(stream);
    this.#byId.delete(stream.id);
    this.#bySession.get(stream.session)?.delete(stream);
  }

  /** Nothing goes in or out of the session's streams any more; `abandon` tells the peer. */
  silence(session: WebTransportSession): void {
    for (const stream of this.#bySession.get(session) ?? []) {
      stream.silence();
      this.#pending.delete(stream);
    }
  }

  /** The session is over, and its streams with it. */
  abandon(session: WebTransportSession): void {
    for (const stream of this.#bySession.get(session) ?? []) {
      stream.abandon(this.quic);
      this.#pending.delete(stream);
      this.#byId.delete(stream.id);
    }
    this.#bySession.delete(session);
  }

  /** The connection is gone. */
  clear(): void {
    this.#byId.clear();
    this.#bySession.clear();
    this.#pending.clear();
  }

  #create(
    session: WebTransportSession,
    handle: number,
    halves: { id: number; canSend: boolean; canReceive: boolean },
  ): WebTransportStream {
    const { receiveWindowBytes } = this;
    const stream = new WebTransportStream(session, handle, this.events, { ...halves, receiveWindowBytes });
    const known = this.#bySession.get(session);
    if (known === undefined) this.#bySession.set(session, new Set([stream]));
    else known.add(stream);
    return stream;
  }

  /** Window or credit of the connection are used up: what our control stream may send is what any may at most. */
  #isFull(): boolean {
    return this.quic.capacity(this.controlId) === 0;
  }

  #flushStream(stream: WebTransportStream): void {
    if (!stream.wantsToSend) {
      this.#pending.delete(stream); // Reset while it waited: it never gets an id, or the peer would see a gap.
      return;
    }
    const opening = stream.id === -1;
    const { isBidirectional } = stream;
    if (opening) stream.id = isBidirectional ? this.#nextBidi : this.#nextUni;
    if (stream.flush(this.quic) === STREAM.LIMITED) {
      stream.id = -1; // An id counts only once the stream is open.
      return;
    }
    if (opening) {
      if (isBidirectional) this.#nextBidi += 4;
      else this.#nextUni += 4;
      this.#byId.set(stream.id, stream);
      this.events.onStreamOpened(stream);
    }
    if (!stream.wantsToSend) this.#pending.delete(stream);
    this.forgetIfDone(stream);
  }
}
