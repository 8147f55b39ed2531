import { H3_CODE } from "../h3/error.js";
import { decodeErrorCode, encodeErrorCode } from "./error-code.js";
import { type QuicStreams, STREAM } from "./quic-streams.js";
import { SendQueue } from "./send-queue.js";
import type { WebTransportSession } from "./session.js";

/**
 * What is read at once, into memory that all streams of a thread share: as much as comes in a turn. Each piece costs a
 * message to the application's thread, and slices of tensors that are in two pieces have to be put together there.
 */
const arrived = new Uint8Array(1 << 18);

/** Receives what happens to streams. Views are valid until the callback returns. */
export interface StreamEvents {
  onStreamData(stream: WebTransportStream, bytes: Uint8Array, fin: boolean): void;
  onStreamReset(stream: WebTransportStream, code: number): void;
  onStreamStopped(stream: WebTransportStream, code: number): void;
  /** The engine took `bytes` of what was pushed. */
  onStreamCredit(stream: WebTransportStream, bytes: number): void;
  /** A stream that we opened has its place among the peer's streams. */
  onStreamOpened(stream: WebTransportStream): void;
  /** Everything that was pushed, the end included, was handed to the engine. */
  onStreamFinished(stream: WebTransportStream): void;
}

/** One stream of a session: the halves that it has and how far they got. */
export class WebTransportStream {
  /** Of the QUIC stream; -1 while we wait for the peer to allow one more. */
  id: number;
  /** Whether it has both halves. */
  readonly isBidirectional: boolean;
  readonly #queue: SendQueue | undefined;
  #mayReceive: boolean;
  /** Bytes that may be handed out before the reader grants more. */
  #receiveCredit: number;
  #sendEnded = false;
  /** We have closed its session, and the peer does not know yet. */
  #isSilent = false;
  /** Of the header that is still to be sent; the writer gets no credit for it. */
  #headerBytes = 0;

  constructor(
    readonly session: WebTransportSession,
    /** The name that the other side of the driver knows it by. */
    readonly handle: number,
    readonly events: StreamEvents,
    options: { id: number; canSend: boolean; canReceive: boolean; receiveWindowBytes: number },
  ) {
    this.id = options.id;
    this.isBidirectional = options.canSend && options.canReceive;
    this.#queue = options.canSend ? new SendQueue() : undefined;
    this.#mayReceive = options.canReceive;
    this.#receiveCredit = options.receiveWindowBytes;
  }

  get wantsToSend(): boolean {
    return !this.#isSilent && !this.#sendEnded && this.#queue !== undefined && !this.#queue.isIdle;
  }

  /** Whether it waits for room in the connection; its end alone takes none. */
  get hasBytes(): boolean {
    return this.#queue?.hasBytes ?? false;
  }

  get isDone(): boolean {
    return !this.#mayReceive && (this.#queue === undefined || this.#sendEnded);
  }

  /** Puts the bytes that name stream and session in front (WebTransport over HTTP/3, 4.2 and 4.3). */
  pushHeader(bytes: Uint8Array): void {
    this.#queue?.push(bytes, false);
    this.#headerBytes = bytes.byteLength;
  }

  push(bytes: Uint8Array, fin: boolean): void {
    if (!this.#sendEnded) this.#queue?.push(bytes, fin);
  }

  grant(bytes: number): void {
    this.#receiveCredit += bytes;
  }

  /** Hands bytes to the engine. Returns LIMITED where the stream could not be opened yet, else 0. */
  flush(quic: QuicStreams): number {
    const queue = this.#queue;
    if (queue === undefined || this.#sendEnded || this.#isSilent) return 0;
    const result = queue.flush(quic, this.id);
    if (result === STREAM.LIMITED) return result;
    if (result === STREAM.ENDED || result === STREAM.GONE) {
      this.#handleStopped(quic, result);
      return 0;
    }
    const ofHeader = Math.min(result, this.#headerBytes);
    this.#headerBytes -= ofHeader;
    if (result > ofHeader) this.events.onStreamCredit(this, result - ofHeader);
    if (queue.isFinished) {
      this.#endSend();
      this.events.onStreamFinished(this);
    }
    return 0;
  }

  /**
   * Looks whether the peer has stopped the stream. The engine forgets a stopped stream once its reset is
   * acknowledged, and tells nobody who does not ask before.
   */
  checkStopped(quic: QuicStreams): void {
    if (this.#queue === undefined || this.#sendEnded || this.#isSilent) return;
    const result = quic.checkStopped(this.id);
    if (result === STREAM.ENDED || result === STREAM.GONE) this.#handleStopped(quic, result);
  }

  /** Reads what has come, within the credit. */
  read(quic: QuicStreams): void {
    while (this.#mayReceive && this.#receiveCredit > 0 && !this.#isSilent) {
      const buffer =
        this.#receiveCredit < arrived.byteLength ? arrived.subarray(0, this.#receiveCredit) : arrived;
      const result = quic.receive(this.id, buffer);
      if (result === STREAM.BLOCKED) return;
      if (result < 0) {
        this.#mayReceive = false;
        if (!isSessionGone(quic, result)) this.events.onStreamReset(this, applicationCode(quic, result));
        return;
      }
      this.deliver(buffer.subarray(0, result), quic.fin);
      if (result < buffer.byteLength) return; // Whatever comes next makes it readable again.
    }
  }

  /** Hands over bytes that were read along with the stream's header. */
  deliver(bytes: Uint8Array, fin: boolean): void {
    this.#receiveCredit -= bytes.byteLength;
    if (fin) this.#mayReceive = false;
    if (bytes.byteLength > 0 || fin) this.events.onStreamData(this, bytes, fin);
  }

  reset(quic: QuicStreams, code: number): void {
    if (this.#queue === undefined || this.#sendEnded) return;
    if (this.id !== -1) quic.resetSend(this.id, encodeErrorCode(code));
    else if (this.#mayReceive) {
      // The peer never hears of a stream that is reset before it could be opened, and cannot answer on it.
      this.#mayReceive = false;
      this.events.onStreamReset(this, code);
    }
    this.#endSend();
  }

  stop(quic: QuicStreams, code: number): void {
    if (!this.#mayReceive) return;
    this.#mayReceive = false;
    if (this.id !== -1) quic.stopReceive(this.id, encodeErrorCode(code));
  }

  /** Nothing goes in or out any more; `abandon` tells the peer. */
  silence(): void {
    this.#isSilent = true;
  }

  /** The session is over (WebTransport over HTTP/3, 6: both halves end with SESSION_GONE). */
  abandon(quic: QuicStreams): void {
    if (this.id !== -1) {
      if (this.#queue !== undefined && !this.#sendEnded) {
        quic.resetSend(this.id, H3_CODE.WEBTRANSPORT_SESSION_GONE);
      }
      if (this.#mayReceive) quic.stopReceive(this.id, H3_CODE.WEBTRANSPORT_SESSION_GONE);
    }
    this.#sendEnded = true;
    this.#mayReceive = false;
    this.#queue?.clear();
  }

  #handleStopped(quic: QuicStreams, result: number): void {
    this.#endSend();
    if (!isSessionGone(quic, result)) this.events.onStreamStopped(this, applicationCode(quic, result));
  }

  #endSend(): void {
    this.#sendEnded = true;
    this.#queue?.clear();
  }
}

function applicationCode(quic: QuicStreams, result: number): number {
  return result === STREAM.ENDED ? (decodeErrorCode(quic.errorCode) ?? 0) : 0;
}

/** The peer has closed the session: its capsule is on the way, and says more than this stream can. */
function isSessionGone(quic: QuicStreams, result: number): boolean {
  return result === STREAM.ENDED && quic.errorCode === H3_CODE.WEBTRANSPORT_SESSION_GONE;
}
