import { H3_CODE, H3Error } from "../h3/error.js";
import { createFrameReader } from "../h3/frame.js";
import { checkEncoderInstructions } from "../h3/qpack.js";
import type { TlvReader } from "../h3/tlv-reader.js";
import { decodeVarint, varintBytesFrom } from "../h3/varint.js";
import { type QuicStreams, STREAM } from "./quic-streams.js";
import type { WebTransportSession } from "./session.js";

/** Streams that may wait for their session on one connection; more are refused. */
const MAX_EARLY_STREAMS = 32;
/** Streams whose first bytes are incomplete; a peer needs a handful at most. */
const MAX_UNNAMED_STREAMS = 1024;

const BIDIRECTIONAL_SIGNAL = 0x41;
/** Unidirectional stream types (RFC 9114 6.2, RFC 9204 4.2, WebTransport over HTTP/3 4.2). */
const TYPE = {
  CONTROL: 0x00,
  PUSH: 0x01,
  QPACK_ENCODER: 0x02,
  QPACK_DECODER: 0x03,
  WEBTRANSPORT: 0x54,
} as const;

/** Where the streams go once their first bytes tell what they are. */
export interface IncomingHandler {
  onSettings(payload: Uint8Array): void;
  sessionOf(id: number): WebTransportSession | undefined;
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
  readonly #control: TlvReader;

  constructor(
    readonly role: "client" | "server",
    readonly quic: QuicStreams,
    readonly handler: IncomingHandler,
  ) {
    this.#control = createFrameReader("control", {
      onSettings: (payload) => handler.onSettings(payload),
      onHeaders() {},
      onData() {},
    });
  }

  takeEarly(sessionId: number): EarlyStream[] {
    const found = [...this.#early.values()].filter((early) => early.sessionId === sessionId);
    for (const early of found) this.#early.delete(early.id);
    return found;
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
        this.#handleEnd(id);
        return;
      }
      const fin = this.quic.fin;
      if (this.#handleBytes(id, buffer.subarray(0, length), fin)) return;
      if (fin) {
        this.#handleEnd(id);
        return;
      }
    }
  }

  #handleEnd(id: number): void {
    this.#unnamed.delete(id);
    // RFC 9114 6.2.1, RFC 9204 4.2
    if (id === this.#controlId || id === this.#encoderId || id === this.#decoderId) {
      throw new H3Error(H3_CODE.CLOSED_CRITICAL_STREAM, `critical stream ${id} closed`);
    }
  }

  /** Returns whether the stream has left this object's hands. */
  #handleBytes(id: number, bytes: Uint8Array, fin: boolean): boolean {
    if (id === this.#controlId) this.#control.push(bytes);
    else if (id === this.#encoderId) checkEncoderInstructions(bytes);
    else if (id === this.#decoderId)
      return false; // We never insert, so it has nothing to say to us.
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
      this.#handleWebTransport({ id, sessionId, bytes: bytes.subarray(headerLength), fin });
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

  #handleWebTransport(early: EarlyStream): void {
    // WebTransport over HTTP/3, 4.2: the session id is that of a client-initiated bidirectional stream.
    if (early.sessionId % 4 !== 0) throw new H3Error(H3_CODE.ID_ERROR, `session id ${early.sessionId}`);
    const session = this.handler.sessionOf(early.sessionId);
    if (session?.state === "open") {
      this.handler.onWebTransportStream(early.id, early.sessionId, early.bytes, early.fin);
    } else if (session?.state === "closing" || session?.state === "over") {
      this.#refuse(early.id, H3_CODE.WEBTRANSPORT_SESSION_GONE);
    } else if (this.#early.size >= MAX_EARLY_STREAMS) {
      this.#refuse(early.id, H3_CODE.WEBTRANSPORT_BUFFERED_STREAM_REJECTED);
    } else {
      this.#early.set(early.id, { ...early, bytes: early.bytes.slice() });
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
