import { Worker } from "node:worker_threads";
import { type EngineCounters, EngineError, type RunOptions } from "../engine.js";
import {
  kindOfRefusal,
  type RawInfo,
  type RawTensor,
  type RefusalReason,
  type WorkerReply,
  type WorkerRequest,
} from "./messages.js";
import { createPendingRuns } from "./pending-runs.js";
import type { SpareBuffers } from "./spare-buffers.js";

/** A network in a worker thread: raw tensors in and out, in the order of the network's outputs. */
export interface WorkerSession {
  readonly inputs: readonly RawInfo[];
  readonly outputs: readonly RawInfo[];
  /** What computes, where the runtime has several. */
  readonly provider?: string | undefined;
  /** The tensors' buffers are given to the worker: they must not be used afterwards, nor hold anything else. */
  run(inputs: Readonly<Record<string, RawTensor>>, options?: RunOptions): Promise<readonly RawTensor[]>;
  /** Memory for inputs. */
  readonly buffers: SpareBuffers;
  counters(): EngineCounters;
  close(): Promise<void>;
}

/** The session once its worker is ready; the worker holds the process only while runs are pending. */
function createSession(
  worker: Worker,
  ready: Extract<WorkerReply, { readonly kind: "ready" }>,
  maxPendingRuns: number,
): WorkerSession {
  const runs = createPendingRuns(maxPendingRuns, (request, transfer) => {
    worker.postMessage(request, [...transfer]);
    worker.ref();
  });
  let closing: Promise<void> | undefined;
  worker.on("message", (reply: WorkerReply) => {
    runs.handle(reply);
    // Once it is closing, the process waits for its end.
    if (runs.counters().pending === 0 && closing === undefined) worker.unref();
  });
  worker.on("error", (cause) => {
    runs.end(
      new EngineError("crashed", `the worker thread of the engine crashed: ${cause.message}`, { cause }),
    );
  });
  worker.on("exit", (code) =>
    runs.end(new EngineError("crashed", `the worker thread of the engine ended (code ${code})`)),
  );
  worker.unref();

  return {
    ...{ inputs: ready.inputs, outputs: ready.outputs, provider: ready.provider, run: runs.run },
    ...{ buffers: runs.buffers, counters: runs.counters },
    close() {
      closing ??= closeWorker(worker, runs.hasEnded);
      runs.end(new EngineError("closed", "the engine was closed"));
      return closing;
    },
  };
}

/** Lets the worker free the session and end by itself: a thread that is stopped inside native code leaks it. */
function closeWorker(worker: Worker, ended: boolean): Promise<void> {
  if (ended) return Promise.resolve();
  return new Promise((resolve) => {
    worker.ref();
    worker.once("exit", () => resolve());
    const request: WorkerRequest = { kind: "close" };
    worker.postMessage(request);
  });
}

/** What runs a network in a worker thread. */
export interface WorkerSource {
  /** The script, which answers with `ready` or `refused` and then calls `serveRuns`. */
  readonly workerUrl: URL;
  /** What the script finds as its `workerData`. */
  readonly settings: unknown;
  readonly maxPendingRuns: number;
  /** For people: what a refusal means. */
  describeRefusal(reason: RefusalReason, message: string): string;
  readonly onLog?: (line: string) => void;
  /** The thread has ended, in whatever way. */
  readonly onExit?: (threadId: number) => void;
}

/**
 * Starts a worker thread for a network.
 * @throws EngineError `not-available` where the runtime does not load, `load-failed` where it refuses the network
 */
export function openSession(source: WorkerSource): Promise<WorkerSession> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(source.workerUrl, { workerData: source.settings });
    const { threadId } = worker;
    worker.once("exit", () => source.onExit?.(threadId));
    const onError = (cause: Error): void => {
      const message = `the worker thread of the engine did not start: ${cause.message}`;
      reject(new EngineError("crashed", message, { cause }));
    };
    const onExit = (code: number): void => {
      reject(
        new EngineError("crashed", `the worker thread of the engine ended while it started (code ${code})`),
      );
    };
    worker.once("error", onError);
    worker.once("exit", onExit);
    worker.once("message", (reply: WorkerReply) => {
      worker.off("error", onError);
      worker.off("exit", onExit);
      if (reply.kind === "ready") {
        for (const line of reply.log ?? []) source.onLog?.(line);
        resolve(createSession(worker, reply, source.maxPendingRuns));
        return;
      }
      const error = refusal(reply, source);
      // Nothing runs in it: it ends at once.
      worker.terminate().then(
        () => reject(error),
        () => reject(error),
      );
    });
  });
}

function refusal(reply: WorkerReply, source: WorkerSource): EngineError {
  if (reply.kind !== "refused") {
    return new EngineError("crashed", `the worker answered "${reply.kind}" to its start`);
  }
  return new EngineError(kindOfRefusal(reply.reason), source.describeRefusal(reply.reason, reply.message));
}
