import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { type EngineCounters, EngineError } from "../engine.js";
import type { EngineOptions } from "../network.js";
import type { RawInfo, RawTensor, WorkerReply, WorkerRequest, WorkerSettings } from "./messages.js";

/** How onnxruntime runs a model. */
export interface OnnxruntimeOptions extends EngineOptions {
  /** The module that holds onnxruntime; by default `onnxruntime-node`. */
  readonly runtime?: string;
  /** The script of the worker thread, for bundles that move it. */
  readonly workerUrl?: URL;
}

/** An onnxruntime session in a worker thread: raw tensors in and out, in the order of the model's outputs. */
export interface OnnxruntimeSession {
  readonly inputs: readonly RawInfo[];
  readonly outputs: readonly RawInfo[];
  /** The tensors' buffers are given to the worker: they must not be used afterwards, nor be part of larger ones. */
  run(inputs: Readonly<Record<string, RawTensor>>): Promise<readonly RawTensor[]>;
  counters(): EngineCounters;
  close(): Promise<void>;
}

interface PendingRun {
  readonly resolve: (outputs: readonly RawTensor[]) => void;
  readonly reject: (error: EngineError) => void;
}

function integerOption(name: string, value: number | undefined, fallback: number, max: number): number {
  if (value === undefined) return fallback;
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new EngineError("bad-input", `${name}: must be an integer of 1..${max}, got ${value}`);
  }
  return value;
}

function defaultThreads(): number {
  return Math.min(4, Math.max(1, availableParallelism() - 1));
}

/** The session once its worker is ready; the worker holds the process only while runs are pending. */
function createSession(
  worker: Worker,
  ready: Extract<WorkerReply, { readonly kind: "ready" }>,
  maxPendingRuns: number,
): OnnxruntimeSession {
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

/**
 * Loads an ONNX model into onnxruntime in a worker thread of its own.
 * @throws EngineError `not-available` where onnxruntime does not load, `load-failed` where it refuses the model
 */
export function openSession(
  model: Uint8Array,
  options: OnnxruntimeOptions = {},
): Promise<OnnxruntimeSession> {
  return new Promise((resolve, reject) => {
    const maxPendingRuns = integerOption("maxPendingRuns", options.maxPendingRuns, 64, 65536);
    const runtime = options.runtime ?? "onnxruntime-node";
    const settings: WorkerSettings = {
      model,
      runtime,
      threads: integerOption("threads", options.threads, defaultThreads(), 64),
      graphOptimization: options.graphOptimization ?? "all",
    };
    const worker = new Worker(options.workerUrl ?? new URL("./worker.js", import.meta.url), {
      workerData: settings,
    });
    const onError = (cause: Error): void => {
      reject(
        new EngineError("crashed", `the worker thread of the engine did not start: ${cause.message}`, {
          cause,
        }),
      );
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
        resolve(createSession(worker, reply, maxPendingRuns));
        return;
      }
      // Nothing runs in it: it ends at once.
      worker.terminate().then(
        () => reject(refusal(reply, runtime)),
        () => reject(refusal(reply, runtime)),
      );
    });
  });
}

function refusal(reply: WorkerReply, runtime: string): EngineError {
  if (reply.kind !== "refused")
    return new EngineError("crashed", `the worker answered "${reply.kind}" to its start`);
  if (reply.reason === "load-failed") {
    return new EngineError("load-failed", `onnxruntime does not take the model: ${reply.message}`);
  }
  return new EngineError(
    "not-available",
    `${runtime} does not load on ${process.platform}-${process.arch} (${reply.message}); ` +
      "its CPU library ships inside the npm package for linux, mac and windows, x64 (not mac) and arm64",
  );
}
