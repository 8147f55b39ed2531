import type { MessagePort } from "node:worker_threads";
import { RECEIVE_QUEUE_DATAGRAMS } from "./config.js";
import { DatagramPacker } from "./datagram-pack.js";
import { DeliveryGate } from "./delivery-gate.js";
import type { ToMain } from "./messages.js";

/** What may not leave at once waits so long for company. */
const BATCH_MS = 1;
const EMPTY = new Uint8Array(0);

/** Collects what the main thread shall learn and hands it over in batches, with buffers moved, not copied. */
export class Outbox {
  #messages: ToMain[] = [];
  #transfers: ArrayBuffer[] = [];
  readonly #packers = new Map<number, DatagramPacker>();
  /** Datagrams that wait here, of each session. */
  readonly #waiting = new Map<number, number>();
  readonly #gate = new DeliveryGate();
  #isUrgent = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly port: MessagePort,
    /** How many batches the main thread has handled. */
    readonly readTaken: () => number,
  ) {}

  push(message: ToMain): void {
    // These can wait: the writer of a stream has a window's worth of credit.
    if (message.type !== "credit" && message.type !== "path") this.#isUrgent = true;
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

  /** Copies `datagram`; `false` where too many wait for a main thread that is busy. */
  pushDatagram(session: number, datagram: Uint8Array): boolean {
    const waiting = this.#waiting.get(session) ?? 0;
    if (waiting >= RECEIVE_QUEUE_DATAGRAMS) return false;
    this.#waiting.set(session, waiting + 1);
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
    return true;
  }

  /** Called at the end of each round of turns. */
  flush(nowMs: number): void {
    if (!this.#isUrgent && this.#messages.length === 0) return;
    if (this.#isUrgent && this.#gate.tryPass(nowMs, this.readTaken())) this.#post();
    else this.#timer ??= setTimeout(this.#handleTimer, BATCH_MS);
  }

  readonly #handleTimer = (): void => {
    this.#timer = undefined;
    if (!this.#isUrgent && this.#messages.length === 0) return;
    if (this.#gate.tryPass(performance.now(), this.readTaken())) this.#post();
    else this.#timer = setTimeout(this.#handleTimer, BATCH_MS);
  };

  #takePack(session: number): void {
    const pack = this.#packers.get(session)?.take();
    if (pack === undefined) return;
    this.#messages.push({ type: "datagrams", session, pack });
    this.#transfers.push(pack.bytes.buffer);
  }

  #post(): void {
    this.#isUrgent = false;
    for (const session of this.#packers.keys()) this.#takePack(session);
    this.#waiting.clear();
    const messages = this.#messages;
    const transfers = this.#transfers;
    this.#messages = [];
    this.#transfers = [];
    this.port.postMessage(messages, transfers);
  }
}
