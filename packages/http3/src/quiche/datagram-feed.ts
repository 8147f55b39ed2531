import type { Connection } from "@matrixai/quic/native/types.js";
import { SEND_QUEUE_DATAGRAMS } from "./config.js";
import { lendBytes } from "./lent-bytes.js";

/** One source of datagrams to send; it is asked as the engine has room. */
export interface DatagramSource {
  /** The next datagram, session prefix included, or `undefined`. It stays until `shift`. */
  peek(): Uint8Array | undefined;
  shift(): void;
  /** What a datagram may hold has changed. */
  handleNewSize(): void;
}

/** What of the engine's connection takes the datagrams. */
export type DatagramQueue = Pick<Connection, "dgramSend" | "dgramSendQueueLen" | "dgramPurgeOutgoing">;

/** Hands the datagrams of a connection's sessions to the engine, and keeps away those that have become too large. */
export class DatagramFeed {
  readonly #sources: DatagramSource[] = [];
  #maxBytes: number;
  #dropped = 0;
  /** Something was handed over since the engine was seen to have none. */
  #mayHold = false;

  /** `maxBytes`: the longest datagram that a packet holds, session prefix included. */
  constructor(
    readonly queue: DatagramQueue,
    maxBytes: number,
  ) {
    this.#maxBytes = maxBytes;
  }

  /** Datagrams that were handed over while they fitted, and no longer did when their turn came. */
  get dropped(): number {
    return this.#dropped;
  }

  add(source: DatagramSource): void {
    this.#sources.push(source);
  }

  remove(source: DatagramSource): void {
    const index = this.#sources.indexOf(source);
    if (index !== -1) this.#sources.splice(index, 1);
  }

  /** Whether the engine still has some. */
  get isHeld(): boolean {
    this.#mayHold &&= this.queue.dgramSendQueueLen() > 0;
    return this.#mayHold;
  }

  /** Whether a source has something. */
  get isWaiting(): boolean {
    return this.#sources.some((source) => source.peek() !== undefined);
  }

  setMaxBytes(maxBytes: number): void {
    if (maxBytes === this.#maxBytes) return;
    // The engine would wait for a packet that holds them, and everything behind them with it.
    if (maxBytes < this.#maxBytes && this.isHeld) {
      const before = this.queue.dgramSendQueueLen();
      this.queue.dgramPurgeOutgoing((datagram) => datagram.byteLength > maxBytes);
      this.#dropped += before - this.queue.dgramSendQueueLen();
    }
    this.#maxBytes = maxBytes;
    for (const source of this.#sources) source.handleNewSize();
  }

  /** Fills the engine's queue. */
  fill(): void {
    if (!this.isWaiting) return;
    let room = SEND_QUEUE_DATAGRAMS - this.queue.dgramSendQueueLen();
    for (const source of this.#sources) {
      for (let next = source.peek(); next !== undefined && room > 0; next = source.peek()) {
        if (next.byteLength > this.#maxBytes) this.#dropped += 1;
        else if (this.#send(next)) room -= 1;
        else return;
        source.shift();
      }
    }
  }

  /** `false` where the engine's queue is full. */
  #send(datagram: Uint8Array): boolean {
    this.#mayHold = true;
    try {
      return this.queue.dgramSend(lendBytes(datagram)) !== null;
    } catch {
      return true; // The connection ended: it can never be sent.
    }
  }
}
