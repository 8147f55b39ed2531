import {
  Arrivals,
  type BidirectionalStream,
  type CloseInfo,
  type DatagramOutcome,
  DatagramSize,
  type ReceiveStream,
  type SendStream,
  type Session,
  StreamError,
  type TransportStats,
} from "@sluice/transport";
import { encodeReason } from "../h3/capsule.js";
import { PacedQueue } from "./paced-queue.js";
import { textOf, toCloseInfo } from "./quinn-error.js";
import type {
  NativeBidirectionalStream,
  NativeReceiveStream,
  NativeSendStream,
  NativeSession,
} from "./quinn-module.js";
import { QuinnReceiveStream, QuinnSendStream } from "./quinn-stream.js";

/** What waits for a callback that is not set yet. */
const MAX_WAITING_STREAMS = 256;
const MAX_WAITING_DATAGRAMS = 1024;
/** Code of a stream that nobody takes. */
const REFUSED = 0;
/** Receptions asked for at the same time: each one is answered from another thread. */
const PENDING_RECEPTIONS = 32;
/** Larger than any datagram of QUIC: what comes back when it is sent tells whether the peer takes any. */
const PROBE = new Uint8Array(1 << 16);
const PUMP_MS = 1;

/** A {@link Session} on quinn. The native side has threads of its own and tells neither round trips nor rates. */
export class QuinnSession implements Session {
  readonly closed: Promise<CloseInfo>;
  /** Settles when the peer has heard of the end, or was waited for long enough. */
  readonly gone: Promise<void>;
  #settleClosed: (info: CloseInfo) => void = () => {};
  #isClosed = false;
  readonly #hasDatagrams: boolean;
  /** As it was when somebody looked last. */
  readonly #size = new DatagramSize(0);
  readonly #queue = new PacedQueue();
  #isPumping = false;
  #droppedOutgoing = 0;
  #droppedIncoming = 0;
  #onDatagrams: ((batch: readonly Uint8Array[]) => void) | undefined;
  #waitingDatagrams: Uint8Array[] = [];
  #batch: Uint8Array[] = [];
  /** Held, since quinn finishes a stream that is collected as garbage. */
  readonly #sending = new Set<QuinnSendStream>();
  readonly #receiving = new Set<QuinnReceiveStream>();
  readonly #bidirectional = new Arrivals<BidirectionalStream>(MAX_WAITING_STREAMS, (stream) => {
    stream.send.reset(REFUSED);
    stream.receive.stop(REFUSED);
  });
  readonly #unidirectional = new Arrivals<ReceiveStream>(MAX_WAITING_STREAMS, (stream) =>
    stream.stop(REFUSED),
  );

  /** Let go of at the end: the UDP socket lives as long as anything of the session does. */
  #native: NativeSession | undefined;

  constructor(native: NativeSession) {
    this.#native = native;
    this.#hasDatagrams = takesDatagrams(native);
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    this.gone = native.closed().then(
      ({ closeCode, reason }) => this.#end(toCloseInfo(closeCode, reason)),
      (error: unknown) => this.#end({ code: 0, reason: textOf(error), by: "transport" }),
    );
    void this.gone.then(() => {
      this.#native = undefined;
    });
    void this.#acceptAll(
      () => native.acceptUni(),
      (stream) => this.#unidirectional.add(this.#wrapReceive(stream)),
    );
    void this.#acceptAll(
      () => native.acceptBi(),
      (stream) => this.#bidirectional.add(this.#wrapBoth(stream)),
    );
    for (let i = 0; i < PENDING_RECEPTIONS; i++) void this.#receive(native);
  }

  get maxDatagramBytes(): number {
    if (!this.#hasDatagrams) return 0;
    if (this.#native !== undefined) this.#size.set(this.#native.maxDatagramSize());
    return this.#size.bytes;
  }

  onMaxDatagramBytes(handler: (bytes: number) => void): void {
    this.#size.set(this.maxDatagramBytes);
    this.#size.on(handler);
  }

  sendDatagram(data: Uint8Array): DatagramOutcome {
    if (this.#isClosed) return "closed";
    if (!this.#hasDatagrams || data.byteLength > this.maxDatagramBytes) return "too-big";
    if (!this.#queue.add(data.slice())) {
      this.#droppedOutgoing += 1;
      return "queue-full";
    }
    if (!this.#isPumping) {
      this.#isPumping = true;
      queueMicrotask(() => this.#pump());
    }
    return "sent";
  }

  async openBidirectional(): Promise<BidirectionalStream> {
    return this.#wrapBoth(await this.#open((native) => native.openBi()));
  }

  async openUnidirectional(): Promise<SendStream> {
    const native = await this.#open((native) => native.openUni());
    return this.#wrapSend(native);
  }

  onDatagrams(handler: (batch: readonly Uint8Array[]) => void): void {
    this.#onDatagrams = handler;
    const waiting = this.#waitingDatagrams;
    this.#waitingDatagrams = [];
    if (waiting.length > 0) queueMicrotask(() => handler(waiting));
  }

  onBidirectional(handler: (stream: BidirectionalStream) => void): void {
    this.#bidirectional.on(handler);
  }

  onUnidirectional(handler: (stream: ReceiveStream) => void): void {
    this.#unidirectional.on(handler);
  }

  close(code = 0, reason = ""): void {
    if (this.#isClosed) return;
    const sent = new TextDecoder().decode(encodeReason(reason));
    // What was handed over before the close leaves before it.
    this.#flush();
    this.#end({ code: code >>> 0, reason: sent, by: "local" });
    this.#native?.close(code >>> 0, sent);
  }

  /** Gives up what can still be read after the end. */
  release(): void {
    for (const stream of [...this.#receiving]) stream.abandon();
  }

  stats(): TransportStats {
    return {
      rttMs: undefined,
      congestionWindowBytes: undefined,
      deliveryRateBitsPerSecond: undefined,
      packetsSent: undefined,
      packetsLost: undefined,
      bytesSent: undefined,
      bytesReceived: undefined,
      datagramsQueued: this.#queue.length,
      datagramsDroppedOutgoing: this.#droppedOutgoing,
      datagramsDroppedIncoming: this.#droppedIncoming,
    };
  }

  #pump(): void {
    this.#flush();
    this.#isPumping = this.#queue.length > 0;
    if (this.#isPumping) setTimeout(() => this.#pump(), PUMP_MS);
  }

  #flush(): void {
    if (this.#isClosed) return;
    for (const datagram of this.#queue.take(performance.now())) {
      try {
        this.#native?.sendDatagram(datagram);
      } catch {
        // The path's maximum has shrunk since, or the connection is over, which `closed` tells about.
        this.#droppedOutgoing += 1;
      }
    }
  }

  /** One of several that take what comes, until the session ends. */
  async #receive(native: NativeSession): Promise<void> {
    while (!this.#isClosed) {
      let datagram: Buffer;
      try {
        datagram = await native.recvDatagram();
      } catch (error) {
        if (!isForeign(error)) return;
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      if (this.#batch.length === 0) setImmediate(() => this.#deliver());
      this.#batch.push(datagram);
    }
  }

  #deliver(): void {
    const batch = this.#batch;
    this.#batch = [];
    if (this.#onDatagrams !== undefined) {
      if (!this.#isClosed) this.#onDatagrams(batch);
      return;
    }
    const room = MAX_WAITING_DATAGRAMS - this.#waitingDatagrams.length;
    this.#waitingDatagrams.push(...batch.slice(0, room));
    this.#droppedIncoming += Math.max(0, batch.length - room);
  }

  async #acceptAll<T>(accept: () => Promise<T>, take: (stream: T) => void): Promise<void> {
    try {
      while (!this.#isClosed) take(await accept());
    } catch {
      // The session ended, which `closed` tells about.
    }
  }

  async #open<T>(open: (native: NativeSession) => Promise<T>): Promise<T> {
    if (this.#isClosed || this.#native === undefined) throw new StreamError("closed", 0);
    try {
      return await open(this.#native);
    } catch (cause) {
      const error = new StreamError("closed", 0);
      error.cause = cause;
      throw error;
    }
  }

  #wrapBoth(native: NativeBidirectionalStream): BidirectionalStream {
    return { send: this.#wrapSend(native.takeSend()), receive: this.#wrapReceive(native.takeRecv()) };
  }

  #wrapSend(native: NativeSendStream): QuinnSendStream {
    const stream = new QuinnSendStream(native, (done) => this.#sending.delete(done));
    if (this.#isClosed) stream.end();
    else this.#sending.add(stream);
    return stream;
  }

  #wrapReceive(native: NativeReceiveStream): QuinnReceiveStream {
    const stream = new QuinnReceiveStream(native, (done) => this.#receiving.delete(done));
    this.#receiving.add(stream);
    return stream;
  }

  /** What has arrived whole can be read on; the native side fails the other reads. */
  #end(info: CloseInfo): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue.clear();
    for (const stream of [...this.#sending]) stream.end();
    this.#settleClosed(info);
  }
}

/** RFC 9221 3: a peer without `max_datagram_frame_size` takes none, and to ask for the size would end the process. */
function takesDatagrams(native: NativeSession): boolean {
  try {
    native.sendDatagram(PROBE);
    return true;
  } catch (error) {
    return textOf(error).includes("too large");
  }
}

/** A datagram of another session (RFC 9297 2.1), which is no session of this connection's. */
function isForeign(error: unknown): boolean {
  return /unknown session|read error/.test(textOf(error));
}
