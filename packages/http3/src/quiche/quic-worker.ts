import { Worker } from "node:worker_threads";
import type { ToMain, ToWorker, WorkerCensus } from "./messages.js";

/** How often the watchdog looks, and how many silent looks make a worker dead. */
const WATCHDOG_INTERVAL_MS = 2000;
const WATCHDOG_LOOKS = 3;

/** Takes the messages for one session or one server. */
export interface WorkerClient {
  handleMessage(message: ToMain): void;
  /** The worker died: nothing that it carried is left. */
  handleDeath(reason: string): void;
}

let shared: QuicWorker | undefined;

/**
 * The worker of this process. There is one at a time: the binding keeps state of its own for the whole process,
 * which ties it to the first thread that loads it, and a second thread beside that one crashes the process.
 */
export function sharedQuicWorker(): QuicWorker {
  if (shared === undefined || shared.isDead) shared = new QuicWorker();
  return shared;
}

/** The worker thread that owns QUIC, as the main thread sees it. It keeps the process alive while it is used. */
export class QuicWorker {
  readonly #worker: Worker;
  readonly #sessions = new Map<number, WorkerClient>();
  readonly #servers = new Map<number, WorkerClient>();
  readonly #alive = new Int32Array(new SharedArrayBuffer(4));
  #outgoing: ToWorker[] = [];
  #transfers: ArrayBuffer[] = [];
  #flushers: (() => void)[] = [];
  #scheduled = false;
  #watchdog: NodeJS.Timeout | undefined;
  #lastBeat = 0;
  #silentLooks = 0;
  #isDead = false;
  readonly #censuses = new Map<number, (census: WorkerCensus) => void>();
  #nextCensus = 1;
  readonly #ready: Promise<void>;
  #settleReady: { resolve(): void; reject(error: Error): void } = { resolve() {}, reject() {} };

  constructor() {
    this.#ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    this.#ready.catch(() => {});
    this.#worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: this.#alive.buffer });
    this.#worker.unref();
    this.#worker.on("message", (messages: readonly ToMain[]) => {
      for (const message of messages) this.#dispatch(message);
    });
    this.#worker.on("error", (error) => this.#die(error.stack ?? error.message));
    this.#worker.on("exit", (code) => this.#die(`exit code ${code}`));
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  addSession(handle: number, client: WorkerClient): void {
    this.#sessions.set(handle, client);
    this.#updateRef();
  }

  removeSession(handle: number): void {
    this.#sessions.delete(handle);
    this.#updateRef();
  }

  addServer(handle: number, client: WorkerClient): void {
    this.#servers.set(handle, client);
    this.#updateRef();
  }

  removeServer(handle: number): void {
    this.#servers.delete(handle);
    this.#updateRef();
  }

  /** Resolves once the native code is loaded, rejects where it cannot be. */
  async ready(): Promise<void> {
    this.#worker.ref();
    await this.#ready.finally(() => this.#updateRef());
  }

  /** Counts what the worker holds. */
  census(): Promise<WorkerCensus> {
    return new Promise((resolve) => {
      const id = this.#nextCensus++;
      this.#censuses.set(id, resolve);
      this.post({ type: "census", id });
    });
  }

  /** Sessions and servers that this side knows. */
  get clientCount(): number {
    return this.#sessions.size + this.#servers.size;
  }

  /** Ends the thread at once; whatever it carried is lost. */
  async terminate(reason: string): Promise<void> {
    this.#die(reason);
    await this.#worker.terminate();
  }

  /** Sends a message with the others of this turn; the buffers in `transfers` move. */
  post(message: ToWorker, transfers: readonly ArrayBuffer[] = []): void {
    if (this.#isDead) return;
    this.#outgoing.push(message);
    this.#transfers.push(...transfers);
    this.#schedule();
  }

  /** Calls `flusher` before this turn's messages leave, to add its own. */
  beforeFlush(flusher: () => void): void {
    this.#flushers.push(flusher);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const flushers = this.#flushers;
    this.#flushers = [];
    for (const flusher of flushers) flusher();
    if (this.#outgoing.length === 0 || this.#isDead) return;
    const messages = this.#outgoing;
    const transfers = this.#transfers;
    this.#outgoing = [];
    this.#transfers = [];
    this.#worker.postMessage(messages, transfers);
  }

  #dispatch(message: ToMain): void {
    if (message.type === "ready") this.#settleReady.resolve();
    else if (message.type === "census") {
      this.#censuses.get(message.id)?.(message.census);
      this.#censuses.delete(message.id);
    } else if ("session" in message && message.type !== "request") {
      this.#sessions.get(message.session)?.handleMessage(message);
    } else if ("server" in message) this.#servers.get(message.server)?.handleMessage(message);
  }

  #updateRef(): void {
    const isUsed = this.#sessions.size > 0 || this.#servers.size > 0;
    if (this.#isDead) return;
    if (isUsed) {
      this.#worker.ref();
      this.#watchdog ??= this.#watch();
      return;
    }
    this.#worker.unref();
    clearInterval(this.#watchdog);
    this.#watchdog = undefined;
  }

  /** quiche 0.18 has known ways to make it spin: a worker that stops counting is ended from outside. */
  #watch(): NodeJS.Timeout {
    this.#silentLooks = 0;
    const timer = setInterval(() => {
      const beat = Atomics.load(this.#alive, 0);
      this.#silentLooks = beat === this.#lastBeat ? this.#silentLooks + 1 : 0;
      this.#lastBeat = beat;
      if (this.#silentLooks < WATCHDOG_LOOKS) return;
      void this.terminate("it hangs");
    }, WATCHDOG_INTERVAL_MS);
    timer.unref();
    return timer;
  }

  #die(reason: string): void {
    if (this.#isDead) return;
    this.#isDead = true;
    clearInterval(this.#watchdog);
    const clients = [...this.#sessions.values(), ...this.#servers.values()];
    this.#sessions.clear();
    this.#servers.clear();
    for (const client of clients) client.handleDeath(reason);
    this.#settleReady.reject(new Error(reason.split("\n", 1)[0]));
  }
}
