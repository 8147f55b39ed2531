import { type RefusalReason, Refusals } from "../admission/refusals.js";
import type { ServerFigures } from "./messages.js";

/** Gathers what happened to a server's clients until the main thread is told. */
export class FigureReport {
  #refusals = new Refusals();
  #retries = 0;
  #droppedPackets = 0;
  #droppedDatagrams = 0;
  #ignoredPackets = 0;
  #connections = 0;
  #handshakes = 0;
  #hasNews = true;

  addRefusal(reason: RefusalReason): void {
    this.#refusals.add(reason);
    this.#hasNews = true;
  }

  addRetry(): void {
    this.#retries += 1;
    this.#hasNews = true;
  }

  /** A connection had too many packets waiting for its turn. */
  addDroppedPacket(): void {
    this.#droppedPackets += 1;
    this.#hasNews = true;
  }

  /** A packet came from a client that is hardly heard for a while. */
  addIgnoredPacket(): void {
    this.#ignoredPackets += 1;
    this.#hasNews = true;
  }

  /** A session had too many datagrams waiting for the main thread. */
  addDroppedDatagram(): void {
    this.#droppedDatagrams += 1;
    this.#hasNews = true;
  }

  /** What is new since the last time, or `undefined`. */
  take(connections: number, handshakes: number): ServerFigures | undefined {
    if (!this.#hasNews && connections === this.#connections && handshakes === this.#handshakes)
      return undefined;
    const figures = {
      ...{ connections, handshakes, retries: this.#retries, refused: this.#refusals.counts() },
      dropped: {
        packets: this.#droppedPackets,
        datagrams: this.#droppedDatagrams,
        ignored: this.#ignoredPackets,
      },
    };
    this.#connections = connections;
    this.#handshakes = handshakes;
    this.#refusals = new Refusals();
    this.#retries = 0;
    this.#droppedPackets = 0;
    this.#droppedDatagrams = 0;
    this.#ignoredPackets = 0;
    this.#hasNews = false;
    return figures;
  }
}
