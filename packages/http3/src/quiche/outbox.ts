import type { MessagePort } from "node:worker_threads";
import { DatagramPacker } from "./datagram-pack.js";
import type { ToMain } from "./messages.js";

/** Under load, deliveries are this far apart, and what is not urgent waits so long for company. */
const BATCH_MS = 1;
/** Deliveries that may leave at once after a pause. */
const BURST = 4;
const EMPTY = new Uint8Array(0);

/** Collects what the main thread shall learn and hands it over in batches, with buffers moved, not copied. */
export class Outbox {
  #messages: ToMain[] = [];
  #transfers: ArrayBuffer[] = [];
  readonly #packers = new Map<number, DatagramPacker>();
  #tokens = BURST;
  #lastFlushMs = 0;
  #isUrgent = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(readonly port: MessagePort) {}

  push(message: ToMain): void {
    // Credit can wait: its receiver has a queue's worth of it.
    if (message.type !== "datagram-credit" && message.type !== "path") this.#isUrgent = true;
    // Datagrams that came before this message leave before it.
    if (message.type === "closed" || message.type === "gone") this.#takePack(message.session);
    if (message.type === "gone") this.#packers.delete(message.session);
    this.#messages.push(message);
  }

  /** Copies `bytes` and hands them over. */
  pushData(session: number, stream: number, bytes: Uint8Array, fin: boolean): void {
    const copy = new Uint8Array(bytes);
    this.#isUrgent = true;
    this.#messages.push({ type: "data", session, stream, bytes: copy, fin });
    if (copy.byteLength > 0) this.#transfers.push(copy.buffer);
  }

  pushDatagram(session: number, datagram: Uint8Array): void {
    this.#isUrgent = true;
    let packer = this.#packers.get(session);
    if (packer === undefined) {
      packer = new DatagramPacker();
      this.#packers.set(session, packer);
    }
    if (!packer.add(EMPTY, datagram)) {
      this.#takePack(session);
      packer.add(EMPTY, datagram);
    }
  }

  /** Called at the end of each turn. */
  flush(nowMs: number): void {
    if (!this.#isUrgent && this.#messages.length === 0) return;
    this.#tokens = Math.min(BURST, this.#tokens + (nowMs - this.#lastFlushMs) / BATCH_MS);
    this.#lastFlushMs = nowMs;
    if (this.#isUrgent && this.#tokens >= 1) {
      this.#tokens -= 1;
      this.#post();
    } else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#post();
      }, BATCH_MS);
    }
  }

  #takePack(session: number): void {
    const pack = this.#packers.get(session)?.take();
    if (pack === undefined) return;
    this.#messages.push({ type: "datagrams", session, pack });
    this.#transfers.push(pack.bytes.buffer);
  }

  #post(): void {
    this.#isUrgent = false;
    for (const session of this.#packers.keys()) this.#takePack(session);
    if (this.#messages.length === 0) return;
    const messages = this.#messages;
    const transfers = this.#transfers;
    this.#messages = [];
    this.#transfers = [];
    this.port.postMessage(messages, transfers);
  }
}
