import type { CloseInfo } from "@sluice/transport";
import { createCapsuleReader, encodeCloseCapsule } from "../h3/capsule.js";
import { H3_CODE, H3Error, malformed } from "../h3/error.js";
import { createRequestReader, encodeFrame, FRAME } from "../h3/frame.js";
import { decodeFieldSection, encodeFieldSection } from "../h3/qpack.js";
import type { TlvReader } from "../h3/tlv-reader.js";
import { encodeVarint, varintBytes } from "../h3/varint.js";
import { type QuicStreams, STREAM } from "./quic-streams.js";
import {
  type ConnectRequest,
  createConnectFields,
  createResponseFields,
  parseConnectFields,
  parseResponseStatus,
} from "./request.js";
import { SendQueue } from "./send-queue.js";

/** Receives what happens to sessions. */
export interface SessionEvents {
  /** A client asks for a session: answer with `accept` or `reject`. */
  onRequest(session: WebTransportSession, request: ConnectRequest): void;
  /** The server answered: a status of 200 to 299 opened the session, every other one refused it. */
  onResponse(session: WebTransportSession, status: number): void;
  /** A datagram that came in a capsule. The view is valid until the callback returns. */
  onDatagram(session: WebTransportSession, payload: Uint8Array): void;
  onSessionClosed(session: WebTransportSession, info: CloseInfo): void;
}

/** Bytes of capsules that a client may send before its request is answered. */
const MAX_HELD_BYTES = 4096;
const EMPTY = new Uint8Array(0);

/**
 * One session: its CONNECT stream with the request, the response and the capsules.
 * `new` → `asked` (a request is out or in) → `open` → `closing` (our end was sent) → `over`.
 */
export class WebTransportSession {
  state: "new" | "asked" | "open" | "closing" | "over" = "new";
  readonly #queue = new SendQueue();
  readonly #frames: TlvReader;
  readonly #capsules: TlvReader;
  /** Content that came before the request was answered. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** Abort both directions of the CONNECT stream with this code. */
  #abortCode: number | undefined;
  #isReceiveDone = false;
  #hasCloseCapsule = false;
  /** Prefix of this session's datagrams: the quarter stream id (RFC 9297 2.1). */
  readonly datagramPrefix: Uint8Array;

  constructor(
    /** Id of the CONNECT stream, which names the session. */
    readonly id: number,
    readonly role: "client" | "server",
    readonly events: SessionEvents,
  ) {
    const quarter = id / 4;
    this.datagramPrefix = new Uint8Array(varintBytes(quarter));
    encodeVarint(this.datagramPrefix, 0, quarter);
    this.#capsules = createCapsuleReader({
      onDatagram: (payload) => {
        if (this.state === "open") events.onDatagram(this, payload);
      },
      onClose: (code, reason) => {
        this.#hasCloseCapsule = true;
        this.#end({ code, reason, by: "remote" });
      },
      onDrain: () => {},
    });
    this.#frames = createRequestReader(role, {
      onHeaders: (section) => this.#handleHeaders(section),
      onData: (bytes) => this.#handleContent(bytes),
    });
  }

  get wantsToSend(): boolean {
    return this.#abortCode !== undefined || !this.#queue.isIdle;
  }

  /** Whether the peer has ended the session with a capsule. */
  get hasCloseCapsule(): boolean {
    return this.#hasCloseCapsule;
  }

  /** Whether the peer may still send on the CONNECT stream. */
  get mayReceive(): boolean {
    return !this.#isReceiveDone;
  }

  request(request: ConnectRequest): void {
    this.state = "asked";
    this.#queue.push(encodeFrame(FRAME.HEADERS, encodeFieldSection(createConnectFields(request))), false);
  }

  accept(): void {
    if (this.state !== "asked") return;
    this.state = "open";
    this.#queue.push(encodeFrame(FRAME.HEADERS, encodeFieldSection(createResponseFields(200))), false);
    const held = this.#held;
    this.#held = [];
    // WebTransport over HTTP/3, 3.2: what came before our answer counts from here on.
    this.#guard(() => {
      for (const bytes of held) this.#handleContent(bytes);
    });
  }

  reject(status: number): void {
    if (this.state !== "asked" && this.state !== "new") return;
    this.state = "over";
    this.#held = [];
    this.#queue.push(encodeFrame(FRAME.HEADERS, encodeFieldSection(createResponseFields(status))), true);
  }

  /** Server: treats the request as a malformed one (RFC 9114 4.1.2). */
  refuseAsMalformed(): void {
    if (this.state !== "asked") return;
    this.state = "over";
    this.#held = [];
    this.#abortCode = H3_CODE.MESSAGE_ERROR;
  }

  /** Ends the session from our side: the capsule, then the end of the stream. */
  close(code: number, reason: string): void {
    if (this.state === "closing" || this.state === "over") return;
    if (this.state === "open") {
      this.state = "closing";
      this.#queue.push(encodeFrame(FRAME.DATA, encodeCloseCapsule(code, reason)), true);
    } else {
      // RFC 9114 4.1.1: a request without its answer is rejected or cancelled.
      this.state = "over";
      this.#abortCode = this.role === "server" ? H3_CODE.REQUEST_REJECTED : H3_CODE.REQUEST_CANCELLED;
    }
    this.events.onSessionClosed(this, { code, reason, by: "local" });
  }

  /** The peer has not ended its side of a session that we closed: it is not waited for any longer. */
  giveUp(): void {
    if (this.state !== "closing") return;
    this.state = "over";
    this.#abortCode = H3_CODE.WEBTRANSPORT_SESSION_GONE;
  }

  /** The connection under it is gone, or will not answer. */
  abort(info: CloseInfo): void {
    const tell = this.state === "asked" || this.state === "open";
    this.state = "over";
    if (tell) this.events.onSessionClosed(this, info);
  }

  flush(quic: QuicStreams): void {
    if (this.#abortCode !== undefined) {
      quic.resetSend(this.id, this.#abortCode);
      if (!this.#isReceiveDone) quic.stopReceive(this.id, this.#abortCode);
      this.#isReceiveDone = true;
      this.#abortCode = undefined;
      this.#queue.clear();
    }
    if (this.#queue.isIdle) return;
    const result = this.#queue.flush(quic, this.id);
    if (result === STREAM.ENDED || result === STREAM.GONE) this.#handleStopped();
  }

  /** Looks whether the peer has stopped our side of the CONNECT stream. */
  checkStopped(quic: QuicStreams): void {
    if (this.state !== "open" && this.state !== "asked") return;
    const result = quic.checkStopped(this.id);
    if (result === STREAM.ENDED) this.#handleStopped();
  }

  /** Reads the CONNECT stream. */
  read(quic: QuicStreams, scratch: Uint8Array): void {
    while (!this.#isReceiveDone) {
      const result = quic.receive(this.id, scratch);
      if (result === STREAM.BLOCKED) return;
      if (result < 0) {
        this.#isReceiveDone = true;
        this.#end({ code: 0, reason: "the peer reset the session", by: "remote" });
        return;
      }
      this.handleBytes(scratch.subarray(0, result), quic.fin);
    }
  }

  handleBytes(bytes: Uint8Array, fin: boolean): void {
    if (fin) this.#isReceiveDone = true;
    this.#guard(() => this.#parse(bytes, fin));
  }

  /** Turns an error of this stream into its abort; one of the connection goes on to the caller (RFC 9114 8). */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof H3Error) || error.scope !== "stream") throw error;
      const tell = this.state === "asked" || this.state === "open";
      this.state = "over";
      this.#held = [];
      this.#abortCode = error.code;
      const reason = `closed on a protocol error: ${error.message}`;
      if (tell) this.events.onSessionClosed(this, { code: 0, reason, by: "transport" });
    }
  }

  #parse(bytes: Uint8Array, fin: boolean): void {
    if (this.state === "over") {
      // WebTransport over HTTP/3, 6: nothing follows the capsule that closes. What follows a refusal is ignored.
      if (this.#hasCloseCapsule && bytes.byteLength > 0) throw malformed("data after the CLOSE capsule");
      return;
    }
    this.#frames.push(bytes);
    if (!fin) return;
    // RFC 9114 7.1: a frame that the end of the stream cuts short is an error.
    if (!this.#frames.isAtBoundary)
      throw new H3Error(H3_CODE.FRAME_ERROR, "CONNECT stream ends within a frame");
    // RFC 9114 4.1: a request without a header section
    if (this.state === "new")
      throw new H3Error(H3_CODE.REQUEST_INCOMPLETE, "stream ends before its HEADERS", "stream");
    // RFC 9297 3.3
    if (!this.#capsules.isAtBoundary) throw malformed("CONNECT stream ends within a capsule");
    // WebTransport over HTTP/3, 6: an end without a capsule means code 0 and no reason.
    this.#end({ code: 0, reason: "", by: "remote" });
  }

  #handleContent(bytes: Uint8Array): void {
    switch (this.state) {
      case "open":
      case "closing":
        this.#capsules.push(bytes);
        return;
      case "over":
        if (this.#hasCloseCapsule) throw malformed("data after the CLOSE capsule");
        return;
      default:
        // RFC 9114 4.1: only interim responses come before the final one.
        if (this.role === "client") throw new H3Error(H3_CODE.FRAME_UNEXPECTED, "DATA before the response");
        this.#heldBytes += bytes.byteLength;
        if (this.#heldBytes > MAX_HELD_BYTES) {
          const message = `more than ${MAX_HELD_BYTES} bytes before the response`;
          throw new H3Error(H3_CODE.EXCESSIVE_LOAD, message, "stream");
        }
        this.#held.push(bytes.slice());
    }
  }

  #handleHeaders(section: Uint8Array): void {
    if (this.state === "over") return;
    const isFirst = this.state === (this.role === "server" ? "new" : "asked");
    // RFC 9114 4.4: a CONNECT stream has no second header section, and no trailers.
    if (!isFirst) throw new H3Error(H3_CODE.FRAME_UNEXPECTED, "HEADERS on an established CONNECT stream");
    const fields = decodeFieldSection(section);
    if (this.role === "server") {
      const request = parseConnectFields(fields);
      if (typeof request === "number") {
        this.reject(request);
        return;
      }
      this.state = "asked";
      this.events.onRequest(this, request);
      return;
    }
    const status = parseResponseStatus(fields);
    if (status < 200) return; // RFC 9114 4.1: interim responses come before the final one.
    this.state = status < 300 ? "open" : "over";
    if (status >= 300) this.#queue.push(EMPTY, true);
    this.events.onResponse(this, status);
  }

  #handleStopped(): void {
    this.#queue.clear();
    // RFC 9114 4.1: a server that answers without the whole request stops it; its response still counts.
    if (this.role === "client" && this.state === "asked") return;
    this.#end({ code: 0, reason: "the peer stopped the session", by: "remote" });
  }

  #end(info: CloseInfo): void {
    const before = this.state;
    this.state = "over";
    this.#held = [];
    if (before === "open" || before === "asked") {
      this.#queue.push(EMPTY, true);
      this.events.onSessionClosed(this, info);
    }
  }
}
