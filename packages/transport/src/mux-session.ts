import { Arrivals } from "./arrivals.js";
import type { MuxChannel, MuxChannelHandler } from "./mux-channel.js";
import {
  decodeMuxFrame,
  encodeMuxFrame,
  type MuxFrame,
  MuxViolation,
  NORMAL_CLOSE_CODE,
  OVERLOAD_CLOSE_CODE,
  SESSION_WINDOW_BYTES,
  VIOLATION_CLOSE_CODE,
} from "./mux-frame.js";
import { MuxScheduler } from "./mux-scheduler.js";
import { MuxReceiveStream, MuxSendStream } from "./mux-stream.js";
import { isUnidirectional, MuxStreamTable } from "./mux-stream-table.js";
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

/** Control frames that may wait for a peer that does not read. */
const MAX_CONTROL_FRAMES = 4096;
/** Streams of each kind that may wait for their callback. */
const MAX_WAITING_STREAMS = 256;
/** Code of a stream that nobody takes. */
const REFUSED = 0;

/** Which end of the connection; it decides the numbers of the streams. */
export type MuxRole = "client" | "server";

/** A session without datagrams over one reliable connection; its wire is described in `mux-frame.ts`. */
export class MuxSession implements Session, MuxChannelHandler {
  readonly maxDatagramBytes = 0;
  readonly closed: Promise<CloseInfo>;
  #settleClosed: (info: CloseInfo) => void = () => {};
  #isClosed = false;
  readonly #scheduler = new MuxScheduler(MAX_CONTROL_FRAMES);
  readonly #streams: MuxStreamTable;
  #isPumping = false;
  /** What the peer may still send on all streams, and what was consumed and not granted again. */
  #allowedBytes = SESSION_WINDOW_BYTES;
  #ungrantedBytes = 0;
  #bytesSent = 0;
  #bytesReceived = 0;
  readonly #bidirectional: Arrivals<BidirectionalStream>;
  readonly #unidirectional: Arrivals<ReceiveStream>;

  constructor(
    readonly channel: MuxChannel,
    readonly role: MuxRole,
  ) {
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    this.#streams = new MuxStreamTable(role, (kind, count) => {
      this.#sendControl({ type: "open-credit", kind, count });
    });
    this.#bidirectional = new Arrivals<BidirectionalStream>(MAX_WAITING_STREAMS, ({ send, receive }) => {
      send.reset(REFUSED);
      receive.stop(REFUSED);
    });
    this.#unidirectional = new Arrivals<ReceiveStream>(MAX_WAITING_STREAMS, (stream) => stream.stop(REFUSED));
    channel.start(this);
  }

  sendDatagram(): DatagramOutcome {
    return this.#isClosed ? "closed" : "too-big";
  }

  /** It never has any. */
  onMaxDatagramBytes(): void {}

  async openBidirectional(): Promise<BidirectionalStream> {
    const id = await this.#open("bidirectional");
    const send = this.#createSend(id);
    const receive = this.#createReceive(id);
    this.#streams.add(id, { send, receive });
    return { send, receive };
  }

  async openUnidirectional(): Promise<SendStream> {
    const id = await this.#open("unidirectional");
    const send = this.#createSend(id);
    this.#streams.add(id, { send, receive: undefined });
    return send;
  }

  onDatagrams(): void {}

  onBidirectional(handler: (stream: BidirectionalStream) => void): void {
    this.#bidirectional.on(handler);
  }

  onUnidirectional(handler: (stream: ReceiveStream) => void): void {
    this.#unidirectional.on(handler);
  }

  close(code = 0, reason = ""): void {
    if (this.#isClosed) return;
    const message = encodeMuxFrame({ type: "close", code: code >>> 0, reason });
    // What went over the wire counts: a long reason was cut.
    const sent = decodeMuxFrame(message);
    this.#send(message);
    this.#end({ code: code >>> 0, reason: sent.type === "close" ? sent.reason : reason, by: "local" });
    this.channel.close(NORMAL_CLOSE_CODE, "");
  }

  stats(): TransportStats {
    return {
      rttMs: this.channel.rttMs,
      congestionWindowBytes: undefined,
      deliveryRateBitsPerSecond: undefined,
      packetsSent: undefined,
      packetsLost: undefined,
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      datagramsQueued: 0,
      datagramsDroppedOutgoing: 0,
      datagramsDroppedIncoming: 0,
    };
  }

  handleMessage(message: Uint8Array | undefined): void {
    if (this.#isClosed) return;
    try {
      if (message === undefined) throw new MuxViolation("a text message");
      this.#bytesReceived += message.byteLength;
      this.#handleFrame(decodeMuxFrame(message));
    } catch (error) {
      if (!(error instanceof MuxViolation)) throw error;
      this.#abort(VIOLATION_CLOSE_CODE, `the peer broke the protocol: ${error.message}`);
    }
  }

  handleWritable(): void {
    this.#pump();
  }

  handleEnd(code: number, reason: string): void {
    const why = reason === "" ? "" : `: ${reason}`;
    this.#end({ code: 0, reason: `the WebSocket closed with code ${code}${why}`, by: "transport" });
  }

  #handleFrame(frame: MuxFrame): void {
    switch (frame.type) {
      case "open":
        this.#accept(frame.stream);
        return;
      case "data":
        this.#allowedBytes -= frame.bytes.byteLength;
        if (this.#allowedBytes < 0) throw new MuxViolation("more data than the session's credit");
        this.#streams.receiving(frame.stream).handleData(frame.bytes);
        return;
      case "fin":
        this.#streams.receiving(frame.stream).handleFin();
        this.#streams.forget(frame.stream, "receive");
        return;
      case "reset":
        this.#streams.receiving(frame.stream).fail(new StreamError("reset", frame.code));
        this.#streams.forget(frame.stream, "receive");
        return;
      case "stop":
        this.#streams.sending(frame.stream)?.handleStop(frame.code);
        return;
      case "stream-credit":
        this.#streams.sending(frame.stream)?.handleCredit(frame.bytes);
        return;
      case "session-credit":
        this.#scheduler.creditBytes += frame.bytes;
        if (!Number.isSafeInteger(this.#scheduler.creditBytes)) throw new MuxViolation("credit without end");
        this.#pump();
        return;
      case "open-credit":
        this.#streams.handleOpenCredit(frame.kind, frame.count);
        return;
      case "close":
        this.#end({ code: frame.code, reason: frame.reason, by: "remote" });
        this.channel.close(NORMAL_CLOSE_CODE, "");
        return;
    }
  }

  #accept(id: number): void {
    this.#streams.checkOpenedByPeer(id);
    const receive = this.#createReceive(id);
    if (isUnidirectional(id)) {
      this.#streams.add(id, { send: undefined, receive });
      this.#unidirectional.add(receive);
      return;
    }
    const send = this.#createSend(id);
    this.#streams.add(id, { send, receive });
    this.#bidirectional.add({ send, receive });
  }

  async #open(kind: "bidirectional" | "unidirectional"): Promise<number> {
    if (this.#isClosed) throw new StreamError("closed", 0);
    await this.#streams.openCredit(kind);
    if (this.#isClosed) throw new StreamError("closed", 0);
    const id = this.#streams.nextId(kind);
    this.#sendControl({ type: "open", stream: id });
    return id;
  }

  #createSend(id: number): MuxSendStream {
    return new MuxSendStream(id, {
      wake: (stream) => {
        this.#scheduler.wake(stream);
        this.#pump();
      },
      sendReset: (stream, code) => this.#sendControl({ type: "reset", stream, code }),
      forgetSend: (stream) => this.#streams.forget(stream, "send"),
    });
  }

  #createReceive(id: number): MuxReceiveStream {
    return new MuxReceiveStream(id, {
      grant: (stream, bytes) => this.#sendControl({ type: "stream-credit", stream, bytes }),
      consume: (bytes) => this.#consume(bytes),
      sendStop: (stream, code) => this.#sendControl({ type: "stop", stream, code }),
    });
  }

  #consume(bytes: number): void {
    this.#ungrantedBytes += bytes;
    if (this.#isClosed || this.#ungrantedBytes < SESSION_WINDOW_BYTES / 4) return;
    this.#allowedBytes += this.#ungrantedBytes;
    this.#sendControl({ type: "session-credit", bytes: this.#ungrantedBytes });
    this.#ungrantedBytes = 0;
  }

  #sendControl(frame: MuxFrame): void {
    if (this.#isClosed) return;
    if (!this.#scheduler.addControl(encodeMuxFrame(frame))) {
      this.#abort(OVERLOAD_CLOSE_CODE, "the peer does not read");
      return;
    }
    this.#pump();
  }

  #pump(): void {
    // What a message sets free calls in again; the loop sees to it.
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (!this.#isClosed && this.channel.isWritable) {
      const message = this.#scheduler.poll();
      if (message === undefined) break;
      this.#send(message);
    }
    this.#isPumping = false;
  }

  #send(message: Uint8Array): void {
    this.#bytesSent += message.byteLength;
    this.channel.send(message);
  }

  #abort(code: number, reason: string): void {
    this.#end({ code: 0, reason, by: "transport" });
    this.channel.close(code, reason);
  }

  #end(info: CloseInfo): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#streams.close();
    this.#settleClosed(info);
  }
}
