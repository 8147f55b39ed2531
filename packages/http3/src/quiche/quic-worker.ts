import { SHARED, type ToMain, type ToWorker, type WorkerCensus } from "./messages.js";
import {
  type QuicThread,
  type QuicThreadName,
  startCallerThread,
  startWorkerThread,
  type ThreadEvents,
} from "./quic-thread.js";
import { DEFAULT_WATCHDOG, Watchdog, type WatchdogLimits } from "./watchdog.js";

/**
 * What became of a worker. `crash`: its thread ended; `hang`: it gave no sign of life and was ended; `stuck`: it could
 * not start, because the thread before it cannot be ended, which is so while it runs native code.
 */
export type WorkerDeath = "crash" | "hang" | "stuck";

/** Takes the messages for one session or one server. */
export interface WorkerClient {
  handleMessage(message: ToMain): void;
  /** The worker died: nothing that it carried is left. */
  handleDeath(reason: string, kind: WorkerDeath): void;
}

/** How workers are run. */
export interface WorkerSettings {
  /** Entry of the thread. */
  readonly entry: URL;
  readonly watchdog: WatchdogLimits;
  /** How long a new worker waits for the thread of the one before to end, in milliseconds. */
  readonly stuckMs: number;
}

let settings: WorkerSettings = {
  entry: new URL("./worker.js", import.meta.url),
  watchdog: DEFAULT_WATCHDOG,
  stuckMs: 10_000,
};
let shared: QuicWorker | undefined;

/** Changes how workers are run from the next one on: tests run one that has faults. */
export function configureQuicWorker(changes: Partial<WorkerSettings>): void {
  settings = { ...settings, ...changes };
}

/**
 * What runs QUIC in this process, on the thread that was wished for first. There is one at a time: the binding keeps
 * state of its own for the whole process, which ties it to the first thread that loads it, and a second thread beside
 * that one crashes the process.
 */
export function sharedQuicWorker(wish?: QuicThreadName): QuicWorker {
  if (shared === undefined || shared.isDead) {
    shared = new QuicWorker(shared?.name ?? wish ?? "worker", settings, shared?.ended);
  }
  return shared;
}

/** What runs QUIC, as those who use it see it: a worker thread, or their own. It keeps the process alive while it is used. */
export class QuicWorker {
  /** Resolves when its thread, and all before it, have ended: only then may another one load the binding. */
  readonly ended: Promise<void>;
  #thread: QuicThread | undefined;
  readonly #sessions = new Map<number, WorkerClient>();
  readonly #servers = new Map<number, WorkerClient>();
  readonly #shared = new Int32Array(new SharedArrayBuffer(SHARED.COUNT * Int32Array.BYTES_PER_ELEMENT));
  #outgoing: ToWorker[] = [];
  #transfers: ArrayBuffer[] = [];
  #flushers: (() => void)[] = [];
  #scheduled = false;
  #watchdog: NodeJS.Timeout | undefined;
  #readers = 0;
  #isDead = false;
  readonly #censuses = new Map<number, (census: WorkerCensus) => void>();
  #nextCensus = 1;
  readonly #ready: Promise<void>;
  #settleReady: { resolve(): void; reject(error: Error): void } = { resolve() {}, reject() {} };

  constructor(
    readonly name: QuicThreadName,
    readonly settings: WorkerSettings,
    previous: Promise<void> | undefined,
  ) {
    this.#ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    this.#ready.catch(() => {});
    this.ended = previous === undefined ? this.#run() : this.#runAfter(previous);
  }

  async #runAfter(previous: Promise<void>): Promise<void> {
    const stuck = setTimeout(() => {
      this.#die("the thread before it runs native code and cannot be ended; only the process can", "stuck");
    }, this.settings.stuckMs);
    await previous;
    clearTimeout(stuck);
    if (!this.#isDead) await this.#run();
  }

  /** Resolves when the thread has ended. */
  async #run(): Promise<void> {
    const ended = new Promise<void>((resolve, reject) => {
      const events: ThreadEvents = {
        onMessages: (messages) => {
          for (const message of messages) this.#dispatch(message);
        },
        onError: (reason) => this.#die(reason, "crash"),
        onExit: (reason) => {
          this.#die(reason, "crash");
          resolve();
        },
        flush: () => this.#flush(),
      };
      if (this.name === "worker") this.#use(startWorkerThread(this.settings.entry, this.#shared, events));
      else startCallerThread(this.#shared, events).then((thread) => this.#use(thread), reject);
    });
    await ended.catch((error: unknown) => this.#die(String(error), "crash"));
  }

  #use(thread: QuicThread): void {
    this.#thread = thread;
    if (this.#isDead) void thread.terminate();
    this.#updateRef();
    if (this.#outgoing.length > 0) thread.schedule();
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
    this.#readers += 1;
    this.#updateRef();
    await this.#ready.finally(() => {
      this.#readers -= 1;
      this.#updateRef();
    });
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

  /** Ends the thread at once; whatever it carried is lost. Resolves when it has ended. */
  async terminate(reason: string, kind: WorkerDeath = "crash"): Promise<void> {
    this.#die(reason, kind);
    await this.#thread?.terminate();
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
    this.#thread?.schedule();
  }

  /** Hands over what was asked for; returns whether there was any. */
  #flush(): boolean {
    if (!this.#scheduled) return false;
    const flushers = this.#flushers;
    this.#flushers = [];
    for (const flusher of flushers) flusher();
    // What the flushers have posted leaves with the rest.
    this.#scheduled = false;
    if (this.#outgoing.length === 0 || this.#isDead) return false;
    const messages = this.#outgoing;
    const transfers = this.#transfers;
    this.#outgoing = [];
    this.#transfers = [];
    this.#thread?.post(messages, transfers);
    return true;
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
    const isUsed = this.#sessions.size > 0 || this.#servers.size > 0 || this.#readers > 0;
    if (this.#isDead || this.#thread === undefined) return;
    if (isUsed) {
      this.#thread.ref();
      // Nothing on the same thread could see that it hangs.
      if (this.name === "worker") this.#watchdog ??= this.#watch();
      return;
    }
    this.#thread.unref();
    clearInterval(this.#watchdog);
    this.#watchdog = undefined;
  }

  /** quiche 0.18 has known ways to make it spin: a worker that stops counting is ended from outside. */
  #watch(): NodeJS.Timeout {
    const { watchdog: limits } = this.settings;
    const watchdog = new Watchdog(limits, performance.now());
    const timer = setInterval(() => {
      if (!watchdog.look(Atomics.load(this.#shared, SHARED.BEATS), performance.now())) return;
      void this.terminate("it hangs", "hang");
    }, limits.intervalMs);
    timer.unref();
    return timer;
  }

  #die(reason: string, kind: WorkerDeath): void {
    if (this.#isDead) return;
    this.#isDead = true;
    clearInterval(this.#watchdog);
    const clients = [...this.#sessions.values(), ...this.#servers.values()];
    this.#sessions.clear();
    this.#servers.clear();
    for (const client of clients) client.handleDeath(reason, kind);
    this.#settleReady.reject(new Error(reason.split("\n", 1)[0]));
  }
}
