import { Arrivals } from "./arrivals.js";
import { DatagramSize } from "./datagram-size.js";
import {
  type BidirectionalStream,
  type CloseInfo,
  type DatagramOutcome,
  type ReceiveStream,
  type SendStream,
  type Session,
  StreamError,
  type TransportStats,
} from "./session.js";
import { createW3cStreamErrors, type W3cStreamErrors } from "./w3c-error.js";
import { createW3cReceiveStream, createW3cSendStream } from "./w3c-stream.js";
import type { W3cReadable, W3cStats, W3cWebTransport, W3cWriter } from "./w3c-transport.js";

/** How an implementation differs from the standard. */
export interface W3cSessionOptions {
  /** Default: the standard's `WebTransportError` of the global object. */
  readonly errors?: W3cStreamErrors;
  /** Datagrams that may be on their way into the transport. Default 256. */
  readonly maxQueuedDatagrams?: number;
  /**
   * Whether it can send a datagram without bytes; else such a one counts as dropped. Default true. In Chromium (156) its
   * `write` never settles, nor do those after it.
   */
  readonly emptyDatagrams?: boolean;
}

const MAX_QUEUED_DATAGRAMS = 256;
/** What waits for a callback that is not set yet. */
const MAX_WAITING_DATAGRAMS = 1024;
const MAX_WAITING_STREAMS = 256;
/** Code of a stream that nobody takes. */
const REFUSED = 0;

const ignore = () => {};

/**
 * A {@link Session} over a W3C WebTransport object, the browser's own or another library's. Await the object's `ready`
 * first; from then on it belongs to the session.
 *
 * The API hides what happens to datagrams: `write` settles for those that were dropped too. So the size is checked
 * before, and the queue is counted here.
 */
export function createW3cSession(transport: W3cWebTransport, options: W3cSessionOptions = {}): Session {
  return new W3cSession(transport, options);
}

class W3cSession implements Session {
  readonly closed: Promise<CloseInfo>;
  #isClosed = false;
  #closedLocally: CloseInfo | undefined;
  readonly #errors: W3cStreamErrors;
  readonly #maxQueued: number;
  readonly #emptyDatagrams: boolean;
  readonly #datagramWriter: W3cWriter | undefined;
  /** As it was when somebody looked last: the standard has no event for it. */
  readonly #size = new DatagramSize(0);
  #queued = 0;
  #droppedOutgoing = 0;
  #droppedIncoming = 0;
  #onDatagrams: ((batch: readonly Uint8Array[]) => void) | undefined;
  #waitingDatagrams: Uint8Array[] = [];
  #stats: W3cStats = {};
  #isRefreshing = false;
  readonly #bidirectional = new Arrivals<BidirectionalStream>(MAX_WAITING_STREAMS, ({ send, receive }) => {
    send.reset(REFUSED);
    receive.stop(REFUSED);
  });
  readonly #unidirectional = new Arrivals<ReceiveStream>(MAX_WAITING_STREAMS, (stream) =>
    stream.stop(REFUSED),
  );

  constructor(
    readonly transport: W3cWebTransport,
    options: W3cSessionOptions,
  ) {
    const errors = options.errors ?? createW3cStreamErrors(globalThis);
    this.#errors = errors;
    this.#maxQueued = options.maxQueuedDatagrams ?? MAX_QUEUED_DATAGRAMS;
    this.#emptyDatagrams = options.emptyDatagrams ?? true;
    const { datagrams } = transport;
    this.#datagramWriter = (datagrams.createWritable?.() ?? datagrams.writable)?.getWriter();
    this.#datagramWriter?.closed.catch(ignore);
    this.closed = transport.closed.then(
      (info) => this.#end({ code: info?.closeCode ?? 0, reason: info?.reason ?? "", by: "remote" }),
      (error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        return this.#end({ code: 0, reason, by: "transport" });
      },
    );
    void takeAll(datagrams.readable, (datagram) => this.#deliver(datagram));
    void takeAll(transport.incomingUnidirectionalStreams, (stream) => {
      this.#unidirectional.add(createW3cReceiveStream(stream, errors));
    });
    void takeAll(transport.incomingBidirectionalStreams, ({ readable, writable }) => {
      const send = createW3cSendStream(writable, errors);
      this.#bidirectional.add({ send, receive: createW3cReceiveStream(readable, errors) });
    });
  }

  get maxDatagramBytes(): number {
    if (this.#datagramWriter === undefined) return 0;
    // Implementations whose path is not known yet say nothing, or infinity.
    const bytes = this.transport.datagrams.maxDatagramSize;
    this.#size.set(Number.isFinite(bytes) ? Math.max(0, Math.floor(bytes)) : 0);
    return this.#size.bytes;
  }

  onMaxDatagramBytes(handler: (bytes: number) => void): void {
    this.#size.set(this.maxDatagramBytes);
    this.#size.on(handler);
  }

  sendDatagram(data: Uint8Array): DatagramOutcome {
    if (this.#isClosed) return "closed";
    const maxBytes = this.maxDatagramBytes;
    const writer = this.#datagramWriter;
    if (writer === undefined || maxBytes === 0 || data.byteLength > maxBytes) return "too-big";
    if (data.byteLength === 0 && !this.#emptyDatagrams) {
      this.#droppedOutgoing += 1;
      return "sent";
    }
    if (this.#queued >= this.#maxQueued) {
      this.#droppedOutgoing += 1;
      return "queue-full";
    }
    this.#queued += 1;
    writer.write(data.slice()).then(
      () => {
        this.#queued -= 1;
      },
      () => {
        this.#queued -= 1;
        this.#droppedOutgoing += 1;
      },
    );
    return "sent";
  }

  async openBidirectional(): Promise<BidirectionalStream> {
    const { readable, writable } = await this.#open(() => this.transport.createBidirectionalStream());
    return {
      send: createW3cSendStream(writable, this.#errors),
      receive: createW3cReceiveStream(readable, this.#errors),
    };
  }

  async openUnidirectional(): Promise<SendStream> {
    const writable = await this.#open(() => this.transport.createUnidirectionalStream());
    return createW3cSendStream(writable, this.#errors);
  }

  onDatagrams(handler: (batch: readonly Uint8Array[]) => void): void {
    this.#onDatagrams = handler;
    const waiting = this.#waitingDatagrams;
    this.#waitingDatagrams = [];
    if (waiting.length > 0) void Promise.resolve().then(() => handler(waiting));
  }

  onBidirectional(handler: (stream: BidirectionalStream) => void): void {
    this.#bidirectional.on(handler);
  }

  onUnidirectional(handler: (stream: ReceiveStream) => void): void {
    this.#unidirectional.on(handler);
  }

  close(code = 0, reason = ""): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closedLocally = { code: code >>> 0, reason, by: "local" };
    this.transport.close({ closeCode: code >>> 0, reason });
  }

  stats(): TransportStats {
    this.#refreshStats();
    const { datagrams, ...stats } = this.#stats;
    return {
      rttMs: stats.smoothedRtt ?? undefined,
      congestionWindowBytes: undefined,
      deliveryRateBitsPerSecond: stats.estimatedSendRate ?? undefined,
      packetsSent: stats.packetsSent ?? undefined,
      packetsLost: stats.packetsLost ?? undefined,
      bytesSent: stats.bytesSent ?? undefined,
      bytesReceived: stats.bytesReceived ?? undefined,
      datagramsQueued: this.#queued,
      datagramsDroppedOutgoing: this.#droppedOutgoing + (datagrams?.expiredOutgoing ?? 0),
      datagramsDroppedIncoming: this.#droppedIncoming + (datagrams?.droppedIncoming ?? 0),
    };
  }

  async #open<T>(create: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new StreamError("closed", 0);
    try {
      return await create();
    } catch (cause) {
      const error = new StreamError("closed", 0);
      error.cause = cause;
      throw error;
    }
  }

  #deliver(datagram: Uint8Array): void {
    if (this.#onDatagrams !== undefined) {
      if (!this.#isClosed) this.#onDatagrams([datagram]);
    } else if (this.#waitingDatagrams.length < MAX_WAITING_DATAGRAMS) this.#waitingDatagrams.push(datagram);
    else this.#droppedIncoming += 1;
  }

  /** `getStats` takes its time; the figures are those of the last time that somebody asked. */
  #refreshStats(): void {
    if (this.#isRefreshing || this.#isClosed || this.transport.getStats === undefined) return;
    this.#isRefreshing = true;
    this.transport
      .getStats()
      .then((stats) => {
        this.#stats = stats;
      })
      .catch(ignore)
      .finally(() => {
        this.#isRefreshing = false;
      });
  }

  #end(info: CloseInfo): CloseInfo {
    this.#isClosed = true;
    return this.#closedLocally ?? info;
  }
}

/** Hands everything that comes out of `readable` to `take`, until it ends. */
async function takeAll<T>(readable: W3cReadable<T>, take: (item: T) => void): Promise<void> {
  const reader = readable.getReader();
  for (;;) {
    let item: T | undefined;
    try {
      const { done, value } = await reader.read();
      if (done) return;
      item = value;
    } catch {
      // The session ended, which `closed` tells about.
      return;
    }
    if (item !== undefined) take(item);
  }
}
