import { Worker } from "node:worker_threads";
import { type EngineCounters, EngineError, type RunOptions } from "../engine.js";
import type { RawInfo, RawTensor, WorkerReply, WorkerRequest } from "./messages.js";

/** A network in a worker thread: raw tensors in and out, in the order of the network's outputs. */
export interface WorkerSession {
  readonly inputs: readonly RawInfo[];
  readonly outputs: readonly RawInfo[];
  /** The tensors' buffers are given to the worker: they must not be used afterwards, nor be part of larger ones. */
  run(inputs: Readonly<Record<string, RawTensor>>, options?: RunOptions): Promise<readonly RawTensor[]>;
  counters(): EngineCounters;
  close(): Promise<void>;
}

interface PendingRun {
  readonly resolve: (outputs: readonly RawTensor[]) => void;
  readonly reject: (error: EngineError) => void;
}

/** The session once its worker is ready; the worker holds the process only while runs are pending. */
function createSession(
  worker: Worker,
  ready: Extract<WorkerReply, { readonly kind: "ready" }>,
  maxPendingRuns: number,
): WorkerSession {
  const pending = new Map<number, PendingRun>();
  let nextId = 0;
  const counts = { completed: 0, failed: 0, refused: 0 };
  let ended: EngineError | undefined;
  let closing: Promise<void> | undefined;

  const end = (error: EngineError): void => {
    ended ??= error;
    for (const { reject } of pending.values()) reject(error);
    counts.failed += pending.size;
    pending.clear();
  };
  const settle = (id: number): PendingRun | undefined => {
    const entry = pending.get(id);
    pending.delete(id);
    // Once it is closing, the process waits for its end.
    if (pending.size === 0 && closing === undefined) worker.unref();
    return entry;
  };
  worker.on("message", (reply: WorkerReply) => {
    if (reply.kind === "done") {
      const entry = settle(reply.id);
      if (entry === undefined) return;
      counts.completed++;
      entry.resolve(reply.outputs);
    } else if (reply.kind === "failed") {
      const entry = settle(reply.id);
      if (entry === undefined) return;
      counts.failed++;
      entry.reject(new EngineError("run-failed", `the model could not be run: ${reply.message}`));
    }
  });
  worker.on("error", (cause) => {
    end(new EngineError("crashed", `the worker thread of the engine crashed: ${cause.message}`, { cause }));
  });
  worker.on("exit", (code) =>
    end(new EngineError("crashed", `the worker thread of the engine ended (code ${code})`)),
  );
  worker.unref();

  return {
    inputs: ready.inputs,
    outputs: ready.outputs,
    run(inputs) {
      if (ended !== undefined) return Promise.reject(ended);
      if (pending.size >= maxPendingRuns) {
        counts.refused++;
        const message = `maxPendingRuns: ${maxPendingRuns} runs are pending already`;
        return Promise.reject(new EngineError("queue-full", message));
      }
      return new Promise((resolve, reject) => {
        const id = nextId++;
        const transfer = new Set(Object.values(inputs).map((tensor) => tensor.data.buffer as ArrayBuffer));
        const request: WorkerRequest = { kind: "run", id, inputs };
        worker.postMessage(request, [...transfer]);
        pending.set(id, { resolve, reject });
        worker.ref();
      });
    },
    counters: () => ({ pending: pending.size, ...counts }),
    close() {
      closing ??= closeWorker(worker, ended !== undefined);
      end(new EngineError("closed", "the engine was closed"));
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
  describeRefusal(reason: "not-available" | "load-failed", message: string): string;
  readonly onLog?: (line: string) => void;
}

/**
 * Starts a worker thread for a network.
 * @throws EngineError `not-available` where the runtime does not load, `load-failed` where it refuses the network
 */
export function openSession(source: WorkerSource): Promise<WorkerSession> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(source.workerUrl, { workerData: source.settings });
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
  return new EngineError(reply.reason, source.describeRefusal(reply.reason, reply.message));
}
