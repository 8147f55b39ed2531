import type { CloseInfo } from "@sluice/transport";
import { H3_CODE, H3Error } from "../h3/error.js";
import { encodeFrame, FRAME } from "../h3/frame.js";
import {
  decodeSettings,
  encodeSettings,
  OUR_SETTINGS,
  supportsDatagrams,
  supportsWebTransport,
} from "../h3/settings.js";
import { encodeVarint, varintBytes } from "../h3/varint.js";
import { decodeDatagram } from "./datagram.js";
import { IncomingStreams } from "./incoming-streams.js";
import { type QuicStreams, STREAM } from "./quic-streams.js";
import type { ConnectRequest } from "./request.js";
import { SendQueue } from "./send-queue.js";
import type { SessionEvents, WebTransportSession } from "./session.js";
import { SessionTable } from "./session-table.js";
import type { StreamEvents, WebTransportStream } from "./stream.js";
import { StreamTable } from "./stream-table.js";

/** Receives what happens on a connection. Views are valid until the callback returns. */
export interface ConnectionEvents extends SessionEvents, StreamEvents {
  /** The peer's SETTINGS are in; a client may ask for a session. */
  onReady(): void;
  /** The peer opened a stream of `session`; `stream.handle` is its QUIC id. */
  onStream(stream: WebTransportStream, isBidirectional: boolean): void;
  /** Both sides have ended the session, and nothing of it is left. */
  onSessionEnded(session: WebTransportSession): void;
  /** Close the QUIC connection with this HTTP/3 error code. */
  onCloseConnection(h3Code: number, reason: string): void;
}

/**
 * HTTP/3 and WebTransport on one QUIC connection, without I/O: the driver tells it when something can be read
 * or sent, it answers through {@link ConnectionEvents}.
 */
export class WebTransportConnection {
  droppedDatagrams = 0;
  readonly #control = new SendQueue();
  /** The stream that always is there. */
  readonly controlId: number;
  readonly #incoming: IncomingStreams;
  readonly #streams: StreamTable;
  readonly #sessions: SessionTable;

  constructor(
    readonly role: "client" | "server",
    readonly quic: QuicStreams,
    readonly events: ConnectionEvents,
    /** Bytes that a stream hands out before its reader grants more. */
    receiveWindowBytes: number,
    /** Buffer to read into; it may be shared between connections. */
    readonly scratch: Uint8Array,
  ) {
    // RFC 9000 2.1: the two low bits of a stream id.
    this.controlId = role === "client" ? 2 : 3;
    this.#streams = new StreamTable(quic, events, {
      controlId: this.controlId,
      firstBidi: role === "client" ? 0 : 1,
      receiveWindowBytes,
    });
    const settings = encodeFrame(FRAME.SETTINGS, encodeSettings(OUR_SETTINGS));
    const bytes = new Uint8Array(1 + settings.byteLength);
    bytes.set(settings, 1); // stream type 0x00 (RFC 9114 6.2.1)
    this.#control.push(bytes, false);
    this.#sessions = new SessionTable(role, quic, {
      onRequest: (session, request) => events.onRequest(session, request),
      onResponse: (session, status) => {
        events.onResponse(session, status);
        if (session.state === "open") this.adoptEarlyStreams(session);
      },
      onDatagram: (session, payload) => events.onDatagram(session, payload),
      onSessionClosed: (session, info) => {
        // Chromium takes the session for lost where its streams end before it has the capsule.
        if (session.state !== "closing") this.#streams.abandon(session);
        else this.#streams.silence(session);
        events.onSessionClosed(session, info);
      },
      onSessionEnded: (session) => {
        this.#streams.abandon(session);
        this.#incoming.refuseEarly(session.id);
        events.onSessionEnded(session);
      },
      onLastSessionEnded: () => events.onCloseConnection(H3_CODE.NO_ERROR, ""),
    });
    this.#incoming = new IncomingStreams(role, quic, {
      onSettings: (payload) => this.#handleSettings(payload),
      onGoaway: (id) => this.#sessions.handleGoaway(id),
      standingOf: (id) => this.#sessions.standingOf(id),
      onRequestStream: (id, piece, fin) => this.#sessions.handleRequestStream(id, piece, fin, scratch),
      onWebTransportStream: (id, sessionId, piece, fin) => this.#addIncoming(id, sessionId, piece, fin),
    });
  }

  /** The sessions that are not over, by the ids of their CONNECT streams. */
  get sessions(): ReadonlyMap<number, WebTransportSession> {
    return this.#sessions.byId;
  }

  /** Streams of sessions that are open now. */
  get streamCount(): number {
    return this.#streams.size;
  }

  /** Whether a session has ever been open on this connection. */
  get hasOpened(): boolean {
    return this.#sessions.hasOpened;
  }

  /** When {@link handleTimeout} wants to be called, in the driver's milliseconds; `undefined` for never. */
  get nextTimeoutMs(): number | undefined {
    return this.#sessions.nextTimeoutMs;
  }

  handleTimeout(nowMs: number): void {
    this.#sessions.handleTimeout(nowMs);
  }

  /** Reads everything that has come. Throws {@link H3Error}, which closes the connection. */
  handleReadable(nowMs: number): void {
    const { scratch, quic } = this;
    for (;;) {
      const length = quic.receiveDatagram(scratch);
      if (length === -1) break;
      this.#handleDatagram(scratch.subarray(0, length));
    }
    // RFC 9114 6.2.1: nobody may ask us to end our control stream.
    const control = quic.checkStopped(this.controlId);
    if (control === STREAM.ENDED)
      throw new H3Error(H3_CODE.CLOSED_CRITICAL_STREAM, "our control stream was stopped");
    this.#streams.checkStopped();
    this.#sessions.checkStopped();
    for (const id of quic.readable()) {
      const stream = this.#streams.get(id);
      if (stream !== undefined) {
        stream.read(quic);
        this.#streams.forgetIfDone(stream);
      } else if (!this.#sessions.read(id, scratch)) this.#incoming.read(id, scratch);
    }
    this.#sessions.settle(nowMs);
  }

  /** Hands to the engine what it takes now; `false` where there is nothing to send on any stream. */
  flush(nowMs: number): boolean {
    const hadControl = !this.#control.isIdle;
    if (hadControl) this.#control.flush(this.quic, this.controlId);
    const hadSessions = this.#sessions.flush();
    const hadStreams = this.#streams.flush();
    this.#sessions.settle(nowMs);
    return hadControl || hadSessions || hadStreams;
  }

  /**
   * Queues `bytes` without a meaning on the control stream, in front of all other streams: a reserved frame, which every
   * peer ignores (RFC 9114 7.2.8). `false` while something else waits there.
   */
  pad(bytes: number): boolean {
    if (!this.#control.isIdle) return false;
    this.quic.sendFirst(this.controlId);
    this.#control.push(encodeFrame(FRAME.PADDING, new Uint8Array(bytes)), false);
    this.#control.flush(this.quic, this.controlId);
    return true;
  }

  /** Client: asks for a session. */
  openSession(request: ConnectRequest): WebTransportSession {
    const session = this.#sessions.add(this.#streams.takeBidirectionalId());
    session.request(request);
    return session;
  }

  /** Server: takes no new sessions from here on, and says so (RFC 9114 5.2). */
  goAway(): void {
    const id = this.#sessions.refuseNew();
    if (id === undefined) return;
    const payload = new Uint8Array(varintBytes(id));
    encodeVarint(payload, 0, id);
    this.#control.push(encodeFrame(FRAME.GOAWAY, payload), false);
  }

  /** Opens a stream; it waits where the peer allows no more for now. `handle` names it in the events. */
  openStream(session: WebTransportSession, handle: number, isBidirectional: boolean): WebTransportStream {
    return this.#streams.open(session, handle, isBidirectional);
  }

  /** The bytes belong to the stream from here on, and are empty once they are sent. */
  send(stream: WebTransportStream, bytes: Uint8Array, fin: boolean): void {
    stream.push(bytes, fin);
    this.#streams.markPending(stream);
  }

  resetStream(stream: WebTransportStream, code: number): void {
    stream.reset(this.quic, code);
    this.#streams.forgetIfDone(stream);
  }

  stopStream(stream: WebTransportStream, code: number): void {
    stream.stop(this.quic, code);
    this.#streams.forgetIfDone(stream);
  }

  /** Hands over the streams that came before their session was open. */
  adoptEarlyStreams(session: WebTransportSession): void {
    for (const early of this.#incoming.takeEarly(session.id)) {
      this.#addIncoming(early.id, session.id, early.bytes, early.fin);
    }
  }

  /** The QUIC connection is over: every session ends with `info`. */
  abort(info: CloseInfo): void {
    this.#sessions.abort(info);
    this.#streams.clear();
  }

  #handleSettings(payload: Uint8Array): void {
    const settings = decodeSettings(payload);
    if (this.role === "client" && !supportsWebTransport(settings)) {
      // WebTransport over HTTP/3, 3.1
      const message = "the server does not offer WebTransport";
      throw new H3Error(H3_CODE.WEBTRANSPORT_REQUIREMENTS_NOT_MET, message);
    }
    this.#sessions.handleSettings(supportsDatagrams(settings));
    this.events.onReady();
  }

  #addIncoming(id: number, sessionId: number, bytes: Uint8Array, fin: boolean): void {
    const session = this.#sessions.byId.get(sessionId);
    if (session?.state !== "open") return;
    const stream = this.#streams.adopt(session, id);
    this.events.onStream(stream, stream.isBidirectional);
    stream.deliver(bytes, fin);
    stream.read(this.quic);
    this.#streams.forgetIfDone(stream);
  }

  #handleDatagram(datagram: Uint8Array): void {
    const { sessionId, payload } = decodeDatagram(datagram);
    const session = this.#sessions.byId.get(sessionId);
    if (session?.state === "open") this.events.onDatagram(session, payload);
    else this.droppedDatagrams += 1; // RFC 9297 2.1: of a stream that is not there yet, or no longer.
  }
}
