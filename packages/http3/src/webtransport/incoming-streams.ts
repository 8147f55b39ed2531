import { H3_CODE, H3Error } from "../h3/error.js";
import { FRAME } from "../h3/frame.js";
import { PeerControl } from "../h3/peer-control.js";
import { checkEncoderInstructions, DecoderStreamChecker } from "../h3/qpack-streams.js";
import { decodeVarint, varintBytesFrom } from "../h3/varint.js";
import { type QuicStreams, STREAM } from "./quic-streams.js";
import type { SessionStanding } from "./session-table.js";

/** Streams that may wait for their session on one connection; more are refused. */
const MAX_EARLY_STREAMS = 32;
/** Streams whose first bytes are incomplete; a peer needs a handful at most. */
const MAX_UNNAMED_STREAMS = 1024;

/** First varint of WebTransport streams (WebTransport over HTTP/3, 4.2 and 4.3). */
export const UNIDIRECTIONAL_TYPE = 0x54;
export const BIDIRECTIONAL_SIGNAL = FRAME.WEBTRANSPORT_STREAM;
/** Unidirectional stream types (RFC 9114 6.2, RFC 9204 4.2, WebTransport over HTTP/3 4.2). */
const TYPE = {
  CONTROL: 0x00,
  PUSH: 0x01,
  QPACK_ENCODER: 0x02,
  QPACK_DECODER: 0x03,
  WEBTRANSPORT: UNIDIRECTIONAL_TYPE,
} as const;

/** Where the streams go once their first bytes tell what they are. */
export interface IncomingHandler {
  onSettings(payload: Uint8Array): void;
  onGoaway(id: number): void;
  standingOf(sessionId: number): SessionStanding;
  onRequestStream(id: number, bytes: Uint8Array, fin: boolean): void;
  onWebTransportStream(id: number, sessionId: number, bytes: Uint8Array, fin: boolean): void;
}

/** A stream that came before its session. */
export interface EarlyStream {
  readonly id: number;
  readonly sessionId: number;
  /** What followed the header in the same read; the rest waits in the engine, under flow control. */
  readonly bytes: Uint8Array;
  readonly fin: boolean;
}

/** The peer's streams that belong to no session (yet): control, QPACK, unnamed, early ones. */
export class IncomingStreams {
  /** First bytes of streams that are not named yet. */
  readonly #unnamed = new Map<number, Uint8Array>();
  readonly #early = new Map<number, EarlyStream>();
  #controlId = -1;
  #encoderId = -1;
  #decoderId = -1;
  readonly #control: PeerControl;
  readonly #decoder = new DecoderStreamChecker();

  constructor(
    readonly role: "client" | "server",
    readonly quic: QuicStreams,
    readonly handler: IncomingHandler,
  ) {
    this.#control = new PeerControl(role, handler);
  }

  takeEarly(sessionId: number): EarlyStream[] {
    const found = [...this.#early.values()].filter((early) => early.sessionId === sessionId);
    for (const early of found) this.#early.delete(early.id);
    return found;
  }

  /** The session that they wait for will not be. */
  refuseEarly(sessionId: number): void {
    for (const early of this.takeEarly(sessionId)) this.#refuse(early.id, H3_CODE.WEBTRANSPORT_SESSION_GONE);
  }

  read(id: number, scratch: Uint8Array): void {
    if (this.#early.has(id)) return;
    // What a named stream of another kind holds is not read past its name: its owner does that, with credit.
    while (!this.#early.has(id)) {
      const isNamed = id === this.#controlId || id === this.#encoderId || id === this.#decoderId;
      const buffer = isNamed ? scratch : scratch.subarray(0, 64);
      const length = this.quic.receive(id, buffer);
      if (length === STREAM.BLOCKED) return;
      if (length < 0) {
        this.#handleEnd(id, false);
        return;
      }
      const fin = this.quic.fin;
      if (this.#handleBytes(id, buffer.subarray(0, length), fin)) return;
      if (fin) {
        this.#handleEnd(id, true);
        return;
      }
    }
  }

  /** A stream ended, cleanly or not, before it was known what it is, or a critical one ended at all. */
  #handleEnd(id: number, isClean: boolean): void {
    const unnamed = this.#unnamed.get(id);
    this.#unnamed.delete(id);
    if ((id & 2) === 0) {
      // RFC 9114 7.1: cut short within the type of its first frame. 4.1: or a request without any.
      if (isClean && unnamed !== undefined && unnamed.byteLength > 0) {
        throw new H3Error(H3_CODE.FRAME_ERROR, "request stream ends within a frame");
      }
      this.quic.resetSend(id, H3_CODE.REQUEST_INCOMPLETE);
      return;
    }
    // RFC 9114 6.2.1, RFC 9204 4.2
    if (id === this.#controlId || id === this.#encoderId || id === this.#decoderId) {
      throw new H3Error(H3_CODE.CLOSED_CRITICAL_STREAM, `critical stream ${id} closed`);
    }
  }

  /** Returns whether the stream has left this object's hands. */
  #handleBytes(id: number, bytes: Uint8Array, fin: boolean): boolean {
    if (id === this.#controlId) this.#control.push(bytes);
    else if (id === this.#encoderId) checkEncoderInstructions(bytes);
    else if (id === this.#decoderId) this.#decoder.push(bytes);
    else return this.#name(id, bytes, fin);
    return false;
  }

  #name(id: number, piece: Uint8Array, fin: boolean): boolean {
    const before = this.#unnamed.get(id);
    const bytes = before === undefined ? piece : Buffer.concat([before, piece]);
    const type = decodeVarint(bytes, 0);
    if (type === -1) return this.#wait(id, bytes);
    const typeLength = varintBytesFrom(bytes[0] ?? 0);
    const isBidirectional = (id & 2) === 0;
    if (type === (isBidirectional ? BIDIRECTIONAL_SIGNAL : TYPE.WEBTRANSPORT)) {
      const sessionId = decodeVarint(bytes, typeLength);
      if (sessionId === -1) return this.#wait(id, bytes);
      this.#unnamed.delete(id);
      const headerLength = typeLength + varintBytesFrom(bytes[typeLength] ?? 0);
      // Above 2^53 the session id is rounded: its last byte has the two bits that matter.
      const lowBits = (bytes[headerLength - 1] ?? 0) & 3;
      this.#handleWebTransport({ id, sessionId, lowBits, bytes: bytes.subarray(headerLength), fin });
      return true;
    }
    this.#unnamed.delete(id);
    if (isBidirectional) {
      // RFC 9114 6.1: a server opens no bidirectional streams, other than those of an extension.
      if (this.role === "client")
        throw new H3Error(H3_CODE.STREAM_CREATION_ERROR, "server-initiated request");
      this.handler.onRequestStream(id, bytes, fin);
      return true;
    }
    return this.#nameUnidirectional(id, type, bytes.subarray(typeLength));
  }

  #nameUnidirectional(id: number, type: number, rest: Uint8Array): boolean {
    switch (type) {
      case TYPE.CONTROL:
        if (this.#controlId !== -1) throw new H3Error(H3_CODE.STREAM_CREATION_ERROR, "second control stream");
        this.#controlId = id;
        this.#control.push(rest);
        return false;
      case TYPE.QPACK_ENCODER:
        if (this.#encoderId !== -1) throw new H3Error(H3_CODE.STREAM_CREATION_ERROR, "second encoder stream");
        this.#encoderId = id;
        checkEncoderInstructions(rest);
        return false;
      case TYPE.QPACK_DECODER:
        if (this.#decoderId !== -1) throw new H3Error(H3_CODE.STREAM_CREATION_ERROR, "second decoder stream");
        this.#decoderId = id;
        this.#decoder.push(rest);
        return false;
      case TYPE.PUSH:
        // RFC 9114 6.2.2: only servers push, and we never allowed it.
        throw new H3Error(
          this.role === "server" ? H3_CODE.STREAM_CREATION_ERROR : H3_CODE.ID_ERROR,
          "push stream",
        );
      default:
        // RFC 9114 6.2.3: unknown types are refused, not fatal.
        this.quic.stopReceive(id, H3_CODE.STREAM_CREATION_ERROR);
        return true;
    }
  }

  #handleWebTransport(early: EarlyStream & { lowBits: number }): void {
    // WebTransport over HTTP/3, 4: the session id is that of a client-initiated bidirectional stream.
    if (early.lowBits !== 0) throw new H3Error(H3_CODE.ID_ERROR, `session id ${early.sessionId}`);
    const standing = this.handler.standingOf(early.sessionId);
    if (standing === "open") {
      this.handler.onWebTransportStream(early.id, early.sessionId, early.bytes, early.fin);
    } else if (standing === "gone") {
      this.#refuse(early.id, H3_CODE.WEBTRANSPORT_SESSION_GONE); // WebTransport over HTTP/3, 6
    } else if (this.#early.size >= MAX_EARLY_STREAMS) {
      this.#refuse(early.id, H3_CODE.WEBTRANSPORT_BUFFERED_STREAM_REJECTED); // WebTransport over HTTP/3, 4.6
    } else {
      const { id, sessionId, bytes, fin } = early;
      this.#early.set(id, { id, sessionId, bytes: bytes.slice(), fin });
    }
  }

  #refuse(id: number, h3Code: number): void {
    this.quic.stopReceive(id, h3Code);
    if ((id & 2) === 0) this.quic.resetSend(id, h3Code);
  }

  #wait(id: number, bytes: Uint8Array): boolean {
    if (this.#unnamed.size >= MAX_UNNAMED_STREAMS) {
      throw new H3Error(H3_CODE.EXCESSIVE_LOAD, "too many streams without a type");
    }
    this.#unnamed.set(id, bytes.slice());
    return false;
  }
}
