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
import { ENGINE_FAILED_CODE } from "./close-info.js";
import { addTransfer, DatagramPacker, unpackDatagrams } from "./datagram-pack.js";
import { MAX_QUEUED_DATAGRAMS, type SessionFacts, type ToMain } from "./messages.js";
import { QuicReceiveStream, QuicSendStream } from "./quic-stream.js";
import type { QuicWorker, WorkerClient } from "./quic-worker.js";

/** What waits for a callback that is not set yet. */
const MAX_WAITING_STREAMS = 256;
const MAX_WAITING_DATAGRAMS = 1024;
/** Streams that may be opened before the worker has confirmed the first of them. */
const MAX_UNCONFIRMED_STREAMS = 16;
/** Code of a stream that nobody takes. */
const REFUSED = 0;

/** Halves of one stream; a half that has ended, or was never there, is `undefined`. */
interface Halves {
  send: QuicSendStream | undefined;
  receive: QuicReceiveStream | undefined;
}

/** A {@link Session} whose QUIC connection lives in a worker. */
export class QuicSession implements Session, WorkerClient {
  readonly closed: Promise<CloseInfo>;
  #settleClosed: (info: CloseInfo) => void = () => {};
  #isClosed = false;
  readonly #size: DatagramSize;
  readonly #prefix: Uint8Array;
  readonly #packer = new DatagramPacker();
  /** Datagrams that were handed over, and that have left the worker's queue; both wrap round. */
  #handedOver = 0;
  readonly #taken: Int32Array;
  #droppedOutgoing = 0;
  #droppedIncoming = 0;
  #stats: TransportStats | undefined;
  #onDatagrams: ((batch: readonly Uint8Array[]) => void) | undefined;
  #waitingDatagrams: Uint8Array[] = [];
  readonly #streams = new Map<number, Halves>();
  readonly #bidirectional = new Arrivals<BidirectionalStream>(MAX_WAITING_STREAMS, (stream) => {
    stream.send.reset(REFUSED);
    stream.receive.stop(REFUSED);
  });
  readonly #unidirectional = new Arrivals<ReceiveStream>(MAX_WAITING_STREAMS, (stream) =>
    stream.stop(REFUSED),
  );
  #nextStream = -1;
  readonly #unconfirmed = new Set<number>();
  #openWaiters: (() => void)[] = [];

  constructor(
    readonly handle: number,
    readonly worker: QuicWorker,
    facts: SessionFacts,
  ) {
    this.#size = new DatagramSize(facts.maxDatagramBytes);
    this.#prefix = facts.datagramPrefix;
    this.#taken = facts.datagramsTaken;
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
  }

  get maxDatagramBytes(): number {
    return this.#size.bytes;
  }

  onMaxDatagramBytes(handler: (bytes: number) => void): void {
    this.#size.on(handler);
  }

  get #queuedDatagrams(): number {
    return (this.#handedOver - Atomics.load(this.#taken, 0)) | 0;
  }

  sendDatagram(data: Uint8Array): DatagramOutcome {
    if (this.#isClosed) return "closed";
    if (data.byteLength > this.#size.bytes) return "too-big";
    if (this.#queuedDatagrams >= MAX_QUEUED_DATAGRAMS) {
      this.#droppedOutgoing += 1;
      return "queue-full";
    }
    this.#handedOver = (this.#handedOver + 1) | 0;
    if (this.#packer.count === 0) this.worker.beforeFlush(() => this.#postDatagrams());
    if (!this.#packer.add(this.#prefix, data)) {
      this.#postDatagrams();
      this.#packer.add(this.#prefix, data);
      this.worker.beforeFlush(() => this.#postDatagrams());
    }
    return "sent";
  }

  async openBidirectional(): Promise<BidirectionalStream> {
    const { send, receive } = await this.#open(true);
    if (send === undefined || receive === undefined) throw new StreamError("closed", 0);
    return { send, receive };
  }

  async openUnidirectional(): Promise<SendStream> {
    const { send } = await this.#open(false);
    if (send === undefined) throw new StreamError("closed", 0);
    return send;
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
    this.#postDatagrams();
    this.worker.post({ type: "close", session: this.handle, code: code >>> 0, reason: sent });
    this.#end({ code: code >>> 0, reason: sent, by: "local" });
  }

  ignorePeer(ms: number): void {
    if (!this.#isClosed) this.worker.post({ type: "ignore", session: this.handle, ms });
  }

  stats(): TransportStats {
    const stats = this.#stats;
    return {
      rttMs: stats?.rttMs,
      congestionWindowBytes: stats?.congestionWindowBytes,
      deliveryRateBitsPerSecond: stats?.deliveryRateBitsPerSecond,
      packetsSent: stats?.packetsSent,
      packetsLost: stats?.packetsLost,
      bytesSent: stats?.bytesSent,
      bytesReceived: stats?.bytesReceived,
      datagramsQueued: this.#queuedDatagrams,
      datagramsDroppedOutgoing: this.#droppedOutgoing + (stats?.datagramsDroppedOutgoing ?? 0),
      datagramsDroppedIncoming: this.#droppedIncoming + (stats?.datagramsDroppedIncoming ?? 0),
    };
  }

  handleMessage(message: ToMain): void {
    switch (message.type) {
      case "datagrams":
        // What is left of a flood that was closed costs nothing any more.
        if (!this.#isClosed) this.#deliver(unpackDatagrams(message.pack));
        return;
      case "path":
        this.#stats = message.stats;
        this.#size.set(message.maxDatagramBytes);
        return;
      case "stream":
        this.#accept(message.stream, message.isBidirectional);
        return;
      case "opened":
        this.#confirm(message.stream);
        return;
      case "data":
        this.#streams.get(message.stream)?.receive?.handleData(message.bytes, message.fin);
        return;
      case "credit":
        this.#streams.get(message.stream)?.send?.handleCredit(message.bytes);
        return;
      case "finished":
        this.#streams.get(message.stream)?.send?.handleFinished();
        return;
      case "reset":
        this.#streams.get(message.stream)?.receive?.fail(new StreamError("reset", message.code));
        return;
      case "stopped":
        this.#streams.get(message.stream)?.send?.fail(new StreamError("stopped", message.code));
        return;
      case "closed":
        this.#end(message.info);
        return;
      case "gone":
        this.#end({ code: 0, reason: "the connection ended", by: "transport" });
        this.worker.removeSession(this.handle);
        return;
      default:
        return;
    }
  }

  handleDeath(reason: string): void {
    const text = `the QUIC worker died: ${reason.split("\n", 1)[0]}`;
    this.#end({ code: ENGINE_FAILED_CODE, reason: text, by: "transport" });
  }

  #postDatagrams(): void {
    const pack = this.#packer.take();
    if (pack === undefined) return;
    const transfers: ArrayBuffer[] = [];
    addTransfer(transfers, pack.bytes);
    this.worker.post({ type: "datagrams", session: this.handle, pack }, transfers);
  }

  #deliver(batch: Uint8Array[]): void {
    if (this.#onDatagrams !== undefined) {
      this.#onDatagrams(batch);
      return;
    }
    const room = MAX_WAITING_DATAGRAMS - this.#waitingDatagrams.length;
    this.#waitingDatagrams.push(...batch.slice(0, room));
    this.#droppedIncoming += Math.max(0, batch.length - room);
  }

  async #open(isBidirectional: boolean): Promise<Halves> {
    while (!this.#isClosed && this.#unconfirmed.size >= MAX_UNCONFIRMED_STREAMS) {
      await new Promise<void>((resolve) => this.#openWaiters.push(resolve));
    }
    if (this.#isClosed) throw new StreamError("closed", 0);
    const stream = this.#nextStream--;
    this.#unconfirmed.add(stream);
    this.worker.post({ type: "open", session: this.handle, stream, isBidirectional });
    return { ...this.#add(stream, true, isBidirectional) };
  }

  #accept(stream: number, isBidirectional: boolean): void {
    const { send, receive } = this.#add(stream, isBidirectional, true);
    if (receive === undefined) return;
    if (send === undefined) this.#unidirectional.add(receive);
    else this.#bidirectional.add({ send, receive });
  }

  #add(stream: number, canSend: boolean, canReceive: boolean): Halves {
    const post = this.worker.post.bind(this.worker);
    const halves: Halves = { send: undefined, receive: undefined };
    const forget = (half: keyof Halves) => {
      halves[half] = undefined;
      if (halves.send !== undefined || halves.receive !== undefined) return;
      this.#streams.delete(stream);
      this.#confirm(stream);
    };
    if (canSend) halves.send = new QuicSendStream(this.handle, stream, post, () => forget("send"));
    if (canReceive)
      halves.receive = new QuicReceiveStream(this.handle, stream, post, () => forget("receive"));
    this.#streams.set(stream, halves);
    return halves;
  }

  #confirm(stream: number): void {
    if (!this.#unconfirmed.delete(stream)) return;
    this.#openWaiters.shift()?.();
  }

  #end(info: CloseInfo): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { send, receive } of [...this.#streams.values()]) {
      send?.fail(new StreamError("closed", 0));
      receive?.fail(new StreamError("closed", 0));
    }
    this.#streams.clear();
    const waiters = this.#openWaiters;
    this.#openWaiters = [];
    for (const waiter of waiters) waiter();
    this.#settleClosed(info);
  }
}
