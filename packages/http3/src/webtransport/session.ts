import type { CloseInfo } from "@sluice/transport";
import { createCapsuleReader, encodeCloseCapsule } from "../h3/capsule.js";
import { H3_CODE, H3Error } from "../h3/error.js";
import { createFrameReader, encodeFrame, FRAME } from "../h3/frame.js";
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
  onSessionClosed(session: WebTransportSession, info: CloseInfo): void;
}

/**
 * One session: its CONNECT stream with the request, the response and the capsules.
 * `new` → `asked` (a request is out or in) → `open` → `closing` (our end was sent) → `over`.
 */
export class WebTransportSession {
  state: "new" | "asked" | "open" | "closing" | "over" = "new";
  readonly #queue = new SendQueue();
  readonly #frames: TlvReader;
  readonly #capsules: TlvReader;
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
      onClose: (code, reason) => this.#end({ code, reason, by: "remote" }),
      onDrain: () => {},
    });
    this.#frames = createFrameReader("request", {
      onSettings() {},
      onHeaders: (section) => this.#handleHeaders(section),
      onData: (bytes) => {
        if (this.state === "open" || this.state === "closing") this.#capsules.push(bytes);
      },
    });
  }

  get wantsToSend(): boolean {
    return !this.#queue.isIdle;
  }

  request(request: ConnectRequest): void {
    this.state = "asked";
    this.#queue.push(encodeFrame(FRAME.HEADERS, encodeFieldSection(createConnectFields(request))), false);
  }

  accept(): void {
    if (this.state !== "asked") return;
    this.state = "open";
    this.#queue.push(encodeFrame(FRAME.HEADERS, encodeFieldSection(createResponseFields(200))), false);
  }

  reject(status: number): void {
    if (this.state !== "asked" && this.state !== "new") return;
    this.state = "over";
    this.#queue.push(encodeFrame(FRAME.HEADERS, encodeFieldSection(createResponseFields(status))), true);
  }

  /** Ends the session from our side: the capsule, then the end of the stream. */
  close(code: number, reason: string): void {
    if (this.state === "closing" || this.state === "over") return;
    const wasOpen = this.state === "open";
    this.state = wasOpen ? "closing" : "over";
    const capsule = encodeFrame(FRAME.DATA, encodeCloseCapsule(code, reason));
    this.#queue.push(wasOpen ? capsule : new Uint8Array(0), true);
    this.events.onSessionClosed(this, { code, reason, by: "local" });
  }

  /** The connection under it is gone. */
  abort(info: CloseInfo): void {
    const tell = this.state === "asked" || this.state === "open";
    this.state = "over";
    if (tell) this.events.onSessionClosed(this, info);
  }

  flush(quic: QuicStreams): void {
    if (this.#queue.isIdle) return;
    const result = this.#queue.flush(quic, this.id);
    if (result === STREAM.ENDED || result === STREAM.GONE) this.#queue.clear();
  }

  /** Reads the CONNECT stream. */
  read(quic: QuicStreams, scratch: Uint8Array): void {
    for (;;) {
      const result = quic.receive(this.id, scratch);
      if (result === STREAM.BLOCKED) return;
      if (result < 0) {
        this.#end({ code: 0, reason: "the peer reset the session", by: "remote" });
        return;
      }
      this.handleBytes(scratch.subarray(0, result), quic.fin);
      if (quic.fin) return;
    }
  }

  handleBytes(bytes: Uint8Array, fin: boolean): void {
    this.#frames.push(bytes);
    if (!fin) return;
    // RFC 9114 7.1: a frame that the end of the stream cuts short is an error.
    if (!this.#frames.isAtBoundary)
      throw new H3Error(H3_CODE.FRAME_ERROR, "CONNECT stream ends within a frame");
    // WebTransport over HTTP/3, 6: an end without a capsule means code 0 and no reason.
    this.#end({ code: 0, reason: "", by: "remote" });
  }

  #handleHeaders(section: Uint8Array): void {
    const fields = decodeFieldSection(section);
    if (this.role === "server") {
      if (this.state !== "new") return; // trailers
      const request = parseConnectFields(fields);
      if (typeof request === "number") {
        this.reject(request);
        return;
      }
      this.state = "asked";
      this.events.onRequest(this, request);
      return;
    }
    if (this.state !== "asked") return;
    const status = parseResponseStatus(fields);
    if (status < 200) return; // RFC 9114 4.1: interim responses come before the final one.
    this.state = status < 300 ? "open" : "over";
    this.events.onResponse(this, status);
  }

  #end(info: CloseInfo): void {
    const before = this.state;
    this.state = "over";
    if (before === "open" || before === "asked") {
      this.#queue.push(new Uint8Array(0), true);
      this.events.onSessionClosed(this, info);
    }
  }
}
