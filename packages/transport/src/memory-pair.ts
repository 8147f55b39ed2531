import { Arrivals } from "./arrivals.js";
import { DatagramSize } from "./datagram-size.js";
import { createMemoryPipe, type MemoryPipe } from "./memory-pipe.js";
import { runSoon } from "./microtask.js";
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

/** Limits of a pair in memory; both ends get the same. */
export interface MemoryPairOptions {
  /** Largest datagram in bytes; 0 makes sessions without datagrams. Default 1,200. */
  readonly maxDatagramBytes?: number;
  /** Datagrams that may wait for delivery, in each direction. Default 256. */
  readonly maxQueuedDatagrams?: number;
  /** Bytes that a stream holds before writes wait. Default 65,536. */
  readonly streamWindowBytes?: number;
  /** Streams of each kind that may wait for their handler; more are refused with a reset. Default 256. */
  readonly maxWaitingStreams?: number;
}

/** Two connected sessions. */
export interface MemoryPair {
  readonly client: Session;
  readonly server: Session;
  /** The path carries larger datagrams from here on, or only smaller ones, in both directions. */
  setMaxDatagramBytes(bytes: number): void;
}

/** Code with which a stream is refused that nobody takes, as WebTransport over HTTP/3 does. */
const REFUSED = 0;

/**
 * Two sessions connected in memory, with the semantics of a real one: bounded datagram queues, stream
 * back-pressure, reset, stop and close codes. Everything is delivered by microtasks, in order, without loss.
 */
export function createMemoryPair(options: MemoryPairOptions = {}): MemoryPair {
  const limits = {
    maxDatagramBytes: checkCount("maxDatagramBytes", options.maxDatagramBytes ?? 1200),
    maxQueuedDatagrams: checkCount("maxQueuedDatagrams", options.maxQueuedDatagrams ?? 256),
    streamWindowBytes: checkCount("streamWindowBytes", options.streamWindowBytes ?? 65_536),
    maxWaitingStreams: checkCount("maxWaitingStreams", options.maxWaitingStreams ?? 256),
  };
  const pipes = new Set<MemoryPipe>();
  const client = new MemorySession(limits, pipes);
  const server = new MemorySession(limits, pipes);
  client.peer = server;
  server.peer = client;
  return {
    client,
    server,
    setMaxDatagramBytes(bytes) {
      for (const session of [client, server]) session.size.set(checkCount("maxDatagramBytes", bytes));
    },
  };
}

function checkCount(field: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`${field} must be a whole number of at least 0, got ${value}`);
  }
  return value;
}

interface Limits {
  readonly maxDatagramBytes: number;
  readonly maxQueuedDatagrams: number;
  readonly streamWindowBytes: number;
  readonly maxWaitingStreams: number;
}

class MemorySession implements Session {
  peer: MemorySession | undefined;
  readonly size: DatagramSize;
  readonly closed: Promise<CloseInfo>;
  #settleClosed: (info: CloseInfo) => void = () => {};
  #isClosed = false;
  /** On the way to us, or waiting for our handler. */
  #incoming: Uint8Array[] = [];
  #deliveryPending = false;
  #droppedIncoming = 0;
  #droppedOutgoing = 0;
  #bytesSent = 0;
  #onDatagrams: ((batch: readonly Uint8Array[]) => void) | undefined;
  readonly #bidirectional: Arrivals<BidirectionalStream>;
  readonly #unidirectional: Arrivals<ReceiveStream>;

  constructor(
    readonly limits: Limits,
    readonly pipes: Set<MemoryPipe>,
  ) {
    this.size = new DatagramSize(limits.maxDatagramBytes);
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    this.#bidirectional = new Arrivals(limits.maxWaitingStreams, (stream) => {
      stream.send.reset(REFUSED);
      stream.receive.stop(REFUSED);
    });
    this.#unidirectional = new Arrivals(limits.maxWaitingStreams, (stream) => stream.stop(REFUSED));
  }

  get maxDatagramBytes(): number {
    return this.size.bytes;
  }

  onMaxDatagramBytes(handler: (bytes: number) => void): void {
    this.size.on(handler);
  }

  sendDatagram(data: Uint8Array): DatagramOutcome {
    const peer = this.peer;
    if (this.#isClosed || peer === undefined) return "closed";
    if (data.byteLength > this.maxDatagramBytes || this.maxDatagramBytes === 0) return "too-big";
    if (peer.#incoming.length >= this.limits.maxQueuedDatagrams) {
      this.#droppedOutgoing += 1;
      return "queue-full";
    }
    this.#bytesSent += data.byteLength;
    peer.#incoming.push(data.slice());
    peer.#scheduleDelivery();
    return "sent";
  }

  async openBidirectional(): Promise<BidirectionalStream> {
    const peer = this.#requireOpen();
    const ours = this.#createPipe();
    const theirs = this.#createPipe();
    peer.#bidirectional.add({ send: theirs.send, receive: ours.receive });
    return { send: ours.send, receive: theirs.receive };
  }

  async openUnidirectional(): Promise<SendStream> {
    const peer = this.#requireOpen();
    const pipe = this.#createPipe();
    peer.#unidirectional.add(pipe.receive);
    return pipe.send;
  }

  onDatagrams(handler: (batch: readonly Uint8Array[]) => void): void {
    this.#onDatagrams = handler;
    if (this.#incoming.length > 0) this.#scheduleDelivery();
  }

  onBidirectional(handler: (stream: BidirectionalStream) => void): void {
    this.#bidirectional.on(handler);
  }

  onUnidirectional(handler: (stream: ReceiveStream) => void): void {
    this.#unidirectional.on(handler);
  }

  close(code = 0, reason = ""): void {
    const peer = this.peer;
    if (this.#isClosed || peer === undefined) return;
    this.#end({ code, reason, by: "local" });
    runSoon(() => peer.#end({ code, reason, by: "remote" }));
    for (const pipe of [...this.pipes]) pipe.close();
  }

  stats(): TransportStats {
    const peer = this.peer;
    return {
      rttMs: undefined,
      congestionWindowBytes: undefined,
      deliveryRateBitsPerSecond: undefined,
      packetsSent: undefined,
      packetsLost: undefined,
      bytesSent: this.#bytesSent,
      bytesReceived: peer === undefined ? 0 : peer.#bytesSent,
      datagramsQueued: peer === undefined ? 0 : peer.#incoming.length,
      datagramsDroppedOutgoing: this.#droppedOutgoing,
      datagramsDroppedIncoming: this.#droppedIncoming,
    };
  }

  #requireOpen(): MemorySession {
    if (this.#isClosed || this.peer === undefined) throw new StreamError("closed", 0);
    return this.peer;
  }

  #createPipe(): MemoryPipe {
    const pipe = createMemoryPipe(this.limits.streamWindowBytes, (done) => this.pipes.delete(done));
    this.pipes.add(pipe);
    return pipe;
  }

  #scheduleDelivery(): void {
    if (this.#deliveryPending) return;
    this.#deliveryPending = true;
    runSoon(() => {
      this.#deliveryPending = false;
      if (this.#onDatagrams === undefined || this.#incoming.length === 0) return;
      const batch = this.#incoming;
      this.#incoming = [];
      if (!this.#isClosed) this.#onDatagrams(batch);
      else this.#droppedIncoming += batch.length;
    });
  }

  #end(info: CloseInfo): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#settleClosed(info);
  }
}
