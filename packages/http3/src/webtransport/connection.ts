import type { CloseInfo } from "@sluice/transport";
import { H3_CODE, H3Error } from "../h3/error.js";
import { encodeFrame, FRAME } from "../h3/frame.js";
import { decodeSettings, encodeSettings, OUR_SETTINGS, supportsWebTransport } from "../h3/settings.js";
import { decodeVarint, encodeVarint, varintBytes, varintBytesFrom } from "../h3/varint.js";
import { IncomingStreams } from "./incoming-streams.js";
import { type QuicStreams, STREAM } from "./quic-streams.js";
import type { ConnectRequest } from "./request.js";
import { SendQueue } from "./send-queue.js";
import { type SessionEvents, WebTransportSession } from "./session.js";
import { type StreamEvents, WebTransportStream } from "./stream.js";

/** Receives what happens on a connection. Views are valid until the callback returns. */
export interface ConnectionEvents extends SessionEvents, StreamEvents {
  /** The peer's SETTINGS are in; a client may ask for a session. */
  onReady(): void;
  /** The peer opened a stream of `session`; `stream.handle` is its QUIC id. */
  onStream(stream: WebTransportStream, isBidirectional: boolean): void;
  onDatagram(session: WebTransportSession, payload: Uint8Array): void;
  /** Close the QUIC connection with this HTTP/3 error code. */
  onCloseConnection(h3Code: number, reason: string): void;
}

/** How long the peer may take to end its side of a session after a close. */
const CLOSE_GRACE_MS = 500;
/** How long a server keeps the connection after both sides have ended its last session. */
const BROWSER_SETTLE_MS = 200;
const MAX_SESSIONS = 16;
/** First varint of WebTransport streams (WebTransport over HTTP/3, 4.2 and 4.3). */
const UNIDIRECTIONAL_TYPE = 0x54;
const BIDIRECTIONAL_SIGNAL = 0x41;

/**
 * HTTP/3 and WebTransport on one QUIC connection, without I/O: the driver tells it when something can be read
 * or sent, it answers through {@link ConnectionEvents}.
 */
export class WebTransportConnection {
  readonly sessions = new Map<number, WebTransportSession>();
  readonly #control = new SendQueue();
  readonly #incoming: IncomingStreams;
  readonly #streams = new Map<number, WebTransportStream>();
  readonly #sessionStreams = new Map<WebTransportSession, Set<WebTransportStream>>();
  /** Streams and sessions that have something to send, in the order in which they asked. */
  readonly #pending = new Set<WebTransportStream>();
  #nextUni: number;
  #nextBidi: number;
  readonly #controlId: number;
  #closeAtMs: number | undefined;
  droppedDatagrams = 0;
  #hasOpened = false;

  constructor(
    readonly role: "client" | "server",
    readonly quic: QuicStreams,
    readonly events: ConnectionEvents,
    /** Bytes that a stream hands out before its reader grants more. */
    readonly receiveWindowBytes: number,
    /** Buffer to read into; it may be shared between connections. */
    readonly scratch: Uint8Array,
  ) {
    // RFC 9000 2.1: the two low bits of a stream id.
    this.#controlId = role === "client" ? 2 : 3;
    this.#nextUni = this.#controlId + 4;
    this.#nextBidi = role === "client" ? 0 : 1;
    const settings = encodeFrame(FRAME.SETTINGS, encodeSettings(OUR_SETTINGS));
    const bytes = new Uint8Array(1 + settings.byteLength);
    bytes.set(settings, 1); // stream type 0x00 (RFC 9114 6.2.1)
    this.#control.push(bytes, false);
    this.#incoming = new IncomingStreams(role, quic, {
      onSettings: (payload) => this.#handleSettings(payload),
      sessionOf: (id) => this.sessions.get(id),
      onRequestStream: (id, bytes, fin) => this.#handleRequestStream(id, bytes, fin),
      onWebTransportStream: (id, sessionId, bytes, fin) => this.#addIncoming(id, sessionId, bytes, fin),
    });
  }

  /** Whether a session has ever been open on this connection. */
  get hasOpened(): boolean {
    return this.#hasOpened;
  }

  /** When {@link handleTimeout} wants to be called, in the driver's milliseconds; `undefined` for never. */
  get nextTimeoutMs(): number | undefined {
    return this.#closeAtMs;
  }

  handleTimeout(nowMs: number): void {
    if (this.#closeAtMs === undefined || nowMs < this.#closeAtMs) return;
    this.#closeAtMs = undefined;
    this.events.onCloseConnection(H3_CODE.NO_ERROR, "");
  }

  /** Reads everything that has come. Throws {@link H3Error}, which closes the connection. */
  handleReadable(nowMs: number): void {
    const scratch = this.scratch;
    for (;;) {
      const length = this.quic.receiveDatagram(scratch);
      if (length === -1) break;
      this.#handleDatagram(scratch.subarray(0, length));
    }
    for (const stream of this.#streams.values()) {
      stream.checkStopped(this.quic);
      this.#forgetIfDone(stream);
    }
    for (const id of this.quic.readable()) {
      const stream = this.#streams.get(id);
      const session = this.sessions.get(id);
      if (stream !== undefined) {
        stream.read(this.quic, scratch);
        this.#forgetIfDone(stream);
      } else if (session !== undefined) session.read(this.quic, scratch);
      else this.#incoming.read(id, scratch);
    }
    this.#endSessions(nowMs);
  }

  /** Hands to the engine what it takes now. */
  flush(nowMs: number): void {
    if (!this.#control.isIdle) this.#control.flush(this.quic, this.#controlId);
    for (const session of this.sessions.values()) session.flush(this.quic);
    for (const stream of this.#pending) this.#flushStream(stream);
    this.#endSessions(nowMs);
  }

  /** Client: asks for a session. */
  openSession(request: ConnectRequest): WebTransportSession {
    const session = this.#addSession(this.#nextBidi);
    this.#nextBidi += 4;
    session.request(request);
    return session;
  }

  /** Opens a stream; it waits where the peer allows no more for now. `handle` names it in the events. */
  openStream(session: WebTransportSession, handle: number, isBidirectional: boolean): WebTransportStream {
    const stream = new WebTransportStream(session, handle, this.events, {
      id: -1,
      canSend: true,
      canReceive: isBidirectional,
      receiveWindowBytes: this.receiveWindowBytes,
    });
    const type = isBidirectional ? BIDIRECTIONAL_SIGNAL : UNIDIRECTIONAL_TYPE;
    const header = new Uint8Array(varintBytes(type) + varintBytes(session.id));
    encodeVarint(header, encodeVarint(header, 0, type), session.id);
    stream.pushHeader(header);
    this.#streamsOf(session).add(stream);
    this.#pending.add(stream);
    return stream;
  }

  send(stream: WebTransportStream, bytes: Uint8Array, fin: boolean): void {
    stream.push(bytes, fin);
    if (stream.wantsToSend) this.#pending.add(stream);
  }

  resetStream(stream: WebTransportStream, code: number): void {
    stream.reset(this.quic, code);
    this.#forgetIfDone(stream);
  }

  stopStream(stream: WebTransportStream, code: number): void {
    stream.stop(this.quic, code);
    this.#forgetIfDone(stream);
  }

  /** The QUIC connection is over: every session ends with `info`. */
  abort(info: CloseInfo): void {
    this.#closeAtMs = undefined;
    for (const session of this.sessions.values()) session.abort(info);
    this.sessions.clear();
    this.#streams.clear();
    this.#pending.clear();
  }

  #flushStream(stream: WebTransportStream): void {
    const opening = stream.id === -1;
    const isBidirectional = stream.isBidirectional;
    if (opening) stream.id = isBidirectional ? this.#nextBidi : this.#nextUni;
    if (stream.flush(this.quic) === STREAM.LIMITED) {
      stream.id = -1; // An id counts only once the stream is open, or the peer would see a gap.
      return;
    }
    if (opening) {
      if (isBidirectional) this.#nextBidi += 4;
      else this.#nextUni += 4;
      this.#streams.set(stream.id, stream);
      this.events.onStreamOpened(stream);
    }
    if (!stream.wantsToSend) this.#pending.delete(stream);
    this.#forgetIfDone(stream);
  }

  #handleSettings(payload: Uint8Array): void {
    const settings = decodeSettings(payload);
    if (this.role === "client" && !supportsWebTransport(settings)) {
      throw new H3Error(H3_CODE.SETTINGS_ERROR, "the server does not offer WebTransport");
    }
    this.events.onReady();
  }

  #handleRequestStream(id: number, bytes: Uint8Array, fin: boolean): void {
    if (this.sessions.size >= MAX_SESSIONS) {
      this.quic.stopReceive(id, H3_CODE.REQUEST_REJECTED);
      this.quic.resetSend(id, H3_CODE.REQUEST_REJECTED);
      return;
    }
    const session = this.#addSession(id);
    session.handleBytes(bytes, fin);
    if (!fin) session.read(this.quic, this.scratch);
  }

  #addSession(id: number): WebTransportSession {
    const session = new WebTransportSession(id, this.role, {
      onRequest: (s, request) => this.events.onRequest(s, request),
      onResponse: (s, status) => {
        this.events.onResponse(s, status);
        if (s.state === "open") this.adoptEarlyStreams(s);
      },
      onSessionClosed: (s, info) => {
        // Chromium takes the session for lost where its streams end before it has the capsule.
        if (s.state !== "closing") this.#abandonStreams(s);
        for (const stream of this.#streamsOf(s)) {
          stream.silence();
          this.#pending.delete(stream);
        }
        this.events.onSessionClosed(s, info);
      },
    });
    this.sessions.set(id, session);
    return session;
  }

  /** Hands over the streams that came before their session was open. */
  adoptEarlyStreams(session: WebTransportSession): void {
    for (const early of this.#incoming.takeEarly(session.id)) {
      this.#addIncoming(early.id, session.id, early.bytes, early.fin);
    }
  }

  #addIncoming(id: number, sessionId: number, bytes: Uint8Array, fin: boolean): void {
    const session = this.sessions.get(sessionId);
    if (session?.state !== "open") return;
    const isBidirectional = (id & 2) === 0;
    const stream = new WebTransportStream(session, id, this.events, {
      id,
      canSend: isBidirectional,
      canReceive: true,
      receiveWindowBytes: this.receiveWindowBytes,
    });
    this.#streamsOf(session).add(stream);
    this.#streams.set(id, stream);
    this.events.onStream(stream, isBidirectional);
    stream.deliver(bytes, fin);
    stream.read(this.quic, this.scratch);
    this.#forgetIfDone(stream);
  }

  #streamsOf(session: WebTransportSession): Set<WebTransportStream> {
    const known = this.#sessionStreams.get(session);
    if (known !== undefined) return known;
    const streams = new Set<WebTransportStream>();
    this.#sessionStreams.set(session, streams);
    return streams;
  }

  #abandonStreams(session: WebTransportSession): void {
    for (const stream of this.#streamsOf(session)) {
      stream.abandon(this.quic);
      this.#pending.delete(stream);
      this.#streams.delete(stream.id);
    }
    this.#sessionStreams.delete(session);
  }

  #forgetIfDone(stream: WebTransportStream): void {
    if (!stream.isDone) return;
    this.#pending.delete(stream);
    this.#streams.delete(stream.id);
    this.#sessionStreams.get(stream.session)?.delete(stream);
  }

  #handleDatagram(datagram: Uint8Array): void {
    const quarter = decodeVarint(datagram, 0);
    // RFC 9297 2.1: it begins with the quarter stream id of a client-initiated bidirectional stream.
    if (quarter === -1 || quarter > 2 ** 60 - 1)
      throw new H3Error(H3_CODE.DATAGRAM_ERROR, "datagram too short");
    const session = this.sessions.get(quarter * 4);
    if (session?.state !== "open") {
      this.droppedDatagrams += 1;
      return;
    }
    this.events.onDatagram(session, datagram.subarray(varintBytesFrom(datagram[0] ?? 0)));
  }

  /** Forgets sessions that are over, and closes the connection after the last one. */
  #endSessions(nowMs: number): void {
    if (this.sessions.size === 0) return;
    let closing = 0;
    for (const session of this.sessions.values()) {
      if (session.state === "open") this.#hasOpened = true;
      if (session.state === "closing") closing += 1;
      else if (session.state === "over" && !session.wantsToSend) {
        this.#abandonStreams(session);
        this.sessions.delete(session.id);
      }
    }
    if (this.sessions.size === 0) {
      // Whoever closed first sees the other's end here and closes soon; the other one waits for that. Chromium
      // tells a page "connection lost" where the connection ends before its own tasks have passed the capsule on.
      if (this.#closeAtMs !== undefined) {
        const settledAtMs = nowMs + (this.role === "server" ? BROWSER_SETTLE_MS : 0);
        this.#closeAtMs = Math.min(this.#closeAtMs, settledAtMs);
      } else this.#closeAtMs = nowMs + CLOSE_GRACE_MS;
    } else if (closing === this.sessions.size && this.#closeAtMs === undefined) {
      this.#closeAtMs = nowMs + CLOSE_GRACE_MS;
    }
  }
}
