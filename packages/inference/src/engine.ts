import type { Tensor } from "@sluice/tensor";
import type { TensorInfo } from "./tensor-info.js";

/** Counts since the engine was loaded. */
export interface EngineCounters {
  /** Runs that wait or are under way. */
  readonly pending: number;
  readonly completed: number;
  readonly failed: number;
  /** Runs that were refused because the queue was full. */
  readonly refused: number;
}

/** About one run. */
export interface RunOptions {
  /** From now on; after that the result is of no use, and an engine that can give up then does, with `timeout`. */
  readonly timeoutMs?: number;
}

/** A loaded model that runs somewhere: in a worker thread, on a device, at another server. */
export interface Engine {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** What computes, where the runtime has several: a provider of onnxruntime, a backend of TensorFlow.js. */
  readonly provider?: string | undefined;
  /** Runs one sample: a tensor for each input in order, without the batch axis; resolves to one for each output. */
  run(inputs: readonly Tensor[], options?: RunOptions): Promise<Tensor[]>;
  /**
   * Runs many samples of a model with one input; at once where its batch axis is dynamic, else one after another. Where that
   * fails though each sample runs alone, it is tried again after a pause.
   * Resolves to the outputs of each sample, in the order of the samples.
   */
  runBatch(samples: readonly Tensor[], options?: RunOptions): Promise<Tensor[][]>;
  counters(): EngineCounters;
  /** Ends the engine and frees its memory; runs under way are rejected with `closed`. Can be called twice. */
  close(): Promise<void>;
}

/** What went wrong in an engine. */
export type EngineErrorKind =
  | "not-available"
  | "load-failed"
  | "bad-input"
  | "queue-full"
  | "run-failed"
  | "crashed"
  | "unreachable"
  | "timeout"
  | "closed";

/** Thrown by engines; `kind` is for programs, the message for people. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  constructor(
    readonly kind: EngineErrorKind,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
  }
}
