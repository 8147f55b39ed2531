import { Worker } from "node:worker_threads";
import { SHARED, type ToMain, type ToWorker } from "./messages.js";

/** Where QUIC runs: in a worker thread, or on the thread of those who use it. */
export type QuicThreadName = "worker" | "caller";

/** What happens on a thread, and what it asks for. */
export interface ThreadEvents {
  onMessages(messages: readonly ToMain[]): void;
  onError(reason: string): void;
  /** Everything is over; `reason` is for those who did not ask for it. */
  onExit(reason: string): void;
  /** Has to hand over what is waiting for the thread, by {@link QuicThread.post}; returns whether there was any. */
  flush(): boolean;
}

/** A thread that runs QUIC. */
export interface QuicThread {
  post(messages: readonly ToWorker[], transfers: readonly ArrayBuffer[]): void;
  /** Calls `flush` soon, once. */
  schedule(): void;
  ref(): void;
  unref(): void;
  /** Resolves when it has ended. */
  terminate(): Promise<void>;
}

/** A thread of its own. It can be ended from outside, and works on packets while the caller computes. */
export function startWorkerThread(
  entry: URL,
  shared: Int32Array<SharedArrayBuffer>,
  events: ThreadEvents,
): QuicThread {
  // Flags of the process are not for the thread: it does not start with `--input-type`.
  const worker = new Worker(entry, { workerData: shared.buffer, execArgv: [] });
  worker.on("message", (messages: readonly ToMain[]) => {
    // A callback of the application that throws must not stop the deliveries.
    Atomics.add(shared, SHARED.BATCHES_TAKEN, 1);
    events.onMessages(messages);
  });
  worker.on("error", (error) => events.onError(error.stack ?? error.message));
  worker.on("exit", (code) => events.onExit(`exit code ${code}`));
  return {
    post(messages, transfers) {
      worker.postMessage(messages, transfers);
      // It may sleep for a moment, out of the event loop's reach.
      Atomics.add(shared, SHARED.BATCHES_POSTED, 1);
      Atomics.notify(shared, SHARED.BATCHES_POSTED);
    },
    schedule: () => {
      setImmediate(events.flush);
    },
    ref: () => worker.ref(),
    unref: () => worker.unref(),
    terminate: async () => {
      await worker.terminate();
    },
  };
}

/**
 * The caller's own thread: a packet needs no second one to be woken, which saves some 0.1 ms each way. But nobody can end
 * it where it hangs, and packets wait while the caller computes.
 */
export async function startCallerThread(
  shared: Int32Array<SharedArrayBuffer>,
  events: ThreadEvents,
): Promise<QuicThread> {
  // Loads the native code, which a process that runs QUIC in a worker must not have on this thread.
  const { QuicHost } = await import("./quic-host.js");
  const end = (reason: string) => {
    host.stop();
    events.onExit(reason);
  };
  const host = new QuicHost((messages) => deliver(messages, events), shared, {
    takeNews: events.flush,
    onError(error) {
      events.onError(error instanceof Error ? (error.stack ?? error.message) : String(error));
      end("broken");
    },
  });
  return {
    post(messages) {
      for (const message of messages) host.handle(message);
    },
    schedule: () => host.loop.schedule(),
    // Its sockets keep the process alive.
    ref() {},
    unref() {},
    terminate: async () => end("ended"),
  };
}

/** A callback of the application that throws is the application's, and must stop neither QUIC nor the deliveries. */
function deliver(messages: readonly ToMain[], events: ThreadEvents): void {
  for (const message of messages) {
    try {
      events.onMessages([message]);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }
}
