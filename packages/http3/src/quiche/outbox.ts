import { DatagramBacklog } from "./datagram-backlog.js";
import { addTransfer, type DatagramPack } from "./datagram-pack.js";
import type { Gate } from "./delivery-gate.js";
import type { ToMain } from "./messages.js";

/** What may not leave at once waits so long for company. */
const BATCH_MS = 1;

/** Collects what the main thread shall learn and hands it over in batches, with large buffers moved, not copied. */
export class Outbox {
  #messages: ToMain[] = [];
  #transfers: ArrayBuffer[] = [];
  readonly #backlog = new DatagramBacklog();
  #datagrams = 0;
  #isUrgent = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly post: (messages: readonly ToMain[], transfers: readonly ArrayBuffer[]) => void,
    readonly gate: Gate,
    /** How many batches the main thread has taken. */
    readonly readTaken: () => number,
  ) {}

  push(message: ToMain): void {
    // These can wait: the writer of a stream has a window's worth of credit.
    if (message.type !== "credit" && message.type !== "path") this.#isUrgent = true;
    // Datagrams that came before this message leave before it.
    if (message.type === "closed" || message.type === "gone") {
      for (const pack of this.#backlog.takeAll(message.session)) this.#pushPack(message.session, pack);
    }
    if (message.type === "gone") this.#backlog.delete(message.session);
    this.#messages.push(message);
  }

  /** Copies `bytes` and hands them over. */
  pushData(session: number, stream: number, bytes: Uint8Array, fin: boolean): void {
    const copy = new Uint8Array(bytes);
    this.#isUrgent = true;
    this.#messages.push({ type: "data", session, stream, bytes: copy, fin });
    addTransfer(this.#transfers, copy);
  }

  /** Copies `datagram`; `false` where too many wait for a main thread that is busy. */
  pushDatagram(session: number, datagram: Uint8Array): boolean {
    this.#isUrgent = true;
    return this.#backlog.push(session, datagram);
  }

  /** Called at the end of each round of turns. */
  flush(nowMs: number): void {
    if (!this.#isUrgent && this.#messages.length === 0) return;
    if (this.#isUrgent && this.gate.mayPass(nowMs, this.readTaken())) this.#post();
    else this.#timer ??= setTimeout(this.#handleTimer, BATCH_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  readonly #handleTimer = (): void => {
    this.#timer = undefined;
    if (!this.#isUrgent && this.#messages.length === 0) return;
    if (this.gate.mayPass(performance.now(), this.readTaken())) this.#post();
    else this.#timer = setTimeout(this.#handleTimer, BATCH_MS);
  };

  #pushPack(session: number, pack: DatagramPack): void {
    this.#datagrams += pack.count;
    this.#messages.push({ type: "datagrams", session, pack });
    addTransfer(this.#transfers, pack.bytes);
  }

  #post(): void {
    let { room } = this.gate;
    for (let packs = this.#backlog.takeTurn(room > 0); packs.length > 0; ) {
      for (const { session, pack } of packs) {
        this.#pushPack(session, pack);
        room -= pack.count;
      }
      packs = room > 0 ? this.#backlog.takeTurn(true) : [];
    }
    // What is left has its turn when the main thread has taken some.
    this.#isUrgent = this.#backlog.waiting > 0;
    if (this.#isUrgent) this.#timer ??= setTimeout(this.#handleTimer, BATCH_MS);
    if (this.#messages.length === 0) return;
    this.gate.pass(this.#datagrams);
    const messages = this.#messages;
    const transfers = this.#transfers;
    this.#messages = [];
    this.#transfers = [];
    this.#datagrams = 0;
    this.post(messages, transfers);
  }
}
