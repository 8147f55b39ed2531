import type { CloseInfo } from "@sluice/transport";
import type { WebTransportSession } from "../webtransport/session.js";
import type { WebTransportStream } from "../webtransport/stream.js";
import type { QuicheConnection } from "./connection.js";
import type { DatagramSource } from "./datagram-feed.js";
import { type DatagramPack, datagramAt, recyclePack } from "./datagram-pack.js";
import type { SessionFacts, ToWorker } from "./messages.js";
import type { Outbox } from "./outbox.js";

/** A session with fewer turns since its last report waits for so many ticks: a report costs as much as some packets. */
const BUSY_TURNS = 16;
const QUIET_TICKS = 5;

/** The worker's end of one session: carries out what the main thread says, and counts its datagrams. */
export class SessionPort implements DatagramSource {
  readonly #streams = new Map<number, WebTransportStream>();
  #packs: DatagramPack[] = [];
  #offset = 0;
  /** Of datagrams that came for a main thread that is too slow. */
  #dropped = 0;
  readonly #datagramsTaken = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  #isOpen = true;
  /** The connection's turns at the last report: without new ones nothing has changed. */
  #reportedTurns = Number.NEGATIVE_INFINITY;
  #ticks = 0;

  constructor(
    readonly handle: number,
    readonly session: WebTransportSession,
    readonly connection: QuicheConnection,
    readonly outbox: Outbox,
    /** A datagram came for a main thread that is too slow. */
    readonly onDropped?: () => void,
  ) {
    connection.datagrams.add(this);
  }

  get facts(): SessionFacts {
    const datagramPrefix = this.session.datagramPrefix;
    const maxDatagramBytes = this.connection.maxDatagramBytes(datagramPrefix.byteLength);
    return { maxDatagramBytes, datagramPrefix, datagramsTaken: this.#datagramsTaken };
  }

  handleMessage(message: Extract<ToWorker, { session: number }>): void {
    const { webTransport } = this.connection;
    if (message.type === "ignore") {
      this.connection.ignorePeer(message.ms, performance.now());
      return;
    }
    this.connection.handleNews(message.type !== "datagrams" && message.type !== "write");
    switch (message.type) {
      case "datagrams":
        if (this.#isOpen) this.#packs.push(message.pack);
        return;
      case "close":
        this.session.close(message.code, message.reason);
        return;
      case "open":
        if (!this.#isOpen) return;
        this.#streams.set(
          message.stream,
          webTransport.openStream(this.session, message.stream, message.isBidirectional),
        );
        return;
      case "connect":
      case "answer":
        return;
    }
    const stream = this.#streams.get(message.stream);
    if (stream === undefined) return;
    switch (message.type) {
      case "write":
        webTransport.send(stream, message.bytes, message.fin);
        return;
      case "grant":
        stream.grant(message.bytes);
        return;
      case "reset":
        webTransport.resetStream(stream, message.code);
        break;
      case "stop":
        webTransport.stopStream(stream, message.code);
        break;
    }
    this.forgetIfDone(stream);
  }

  /** Answers the request that it stands for: 200 opens the session, another HTTP status refuses it. */
  answer(status: number): void {
    if (status !== 200) {
      this.session.reject(status);
      return;
    }
    if (this.session.state !== "asked") return; // The client has gone in the meantime.
    this.session.accept();
    this.outbox.push({ type: "accepted", session: this.handle, ...this.facts });
    this.connection.webTransport.adoptEarlyStreams(this.session);
  }

  addStream(stream: WebTransportStream): void {
    this.#streams.set(stream.handle, stream);
  }

  forgetIfDone(stream: WebTransportStream): void {
    if (stream.isDone) this.#streams.delete(stream.handle);
  }

  peek(): Uint8Array | undefined {
    const pack = this.#packs[0];
    return pack === undefined ? undefined : datagramAt(pack.bytes, this.#offset);
  }

  shift(): void {
    const pack = this.#packs[0];
    if (pack === undefined) return;
    this.#offset += 2 + datagramAt(pack.bytes, this.#offset).byteLength;
    Atomics.add(this.#datagramsTaken, 0, 1);
    if (this.#offset < pack.bytes.byteLength) return;
    this.#packs.shift();
    this.#offset = 0;
    recyclePack(pack);
  }

  handleDatagram(payload: Uint8Array): void {
    if (this.outbox.pushDatagram(this.handle, payload)) return;
    this.#dropped += 1;
    this.onDropped?.();
  }

  handleNewSize(): void {
    this.#reportedTurns = Number.NEGATIVE_INFINITY;
    this.reportPath();
  }

  /** Called with each tick and each new size: tells the main thread how the path is now, unless it is nearly as before. */
  reportPath(): void {
    if (!this.#isOpen || this.connection.isOver || this.connection.turns === this.#reportedTurns) return;
    this.#ticks += 1;
    const isQuiet = this.connection.turns - this.#reportedTurns < BUSY_TURNS && this.#ticks < QUIET_TICKS;
    if (isQuiet) return;
    this.#ticks = 0;
    this.#reportedTurns = this.connection.turns;
    const stats = this.connection.stats();
    this.outbox.push({
      type: "path",
      session: this.handle,
      maxDatagramBytes: this.facts.maxDatagramBytes,
      stats: { ...stats, datagramsDroppedIncoming: (stats.datagramsDroppedIncoming ?? 0) + this.#dropped },
    });
  }

  end(info: CloseInfo): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#streams.clear();
    this.#packs = [];
    this.connection.datagrams.remove(this);
    this.outbox.push({ type: "closed", session: this.handle, info });
  }
}
