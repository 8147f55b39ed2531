import type { OutputTensor, Tensor } from "@sluice/tensor";
import type { OutputInfo, TensorInfo } from "./tensor-info.js";

/** Counts since the engine was loaded. */
export interface EngineCounters {
  /** Runs that wait or are under way. */
  readonly pending: number;
  readonly completed: number;
  readonly failed: number;
  /** Runs that were refused because the queue was full. */
  readonly refused: number;
}

/** What goes into a network at once: its one input, or a tensor for each of its inputs in order. */
export type Sample = Tensor | readonly Tensor[];

/** About one run. */
export interface RunOptions {
  /** From now on; after that the result is of no use, and an engine that can give up then does, with `timeout`. */
  readonly timeoutMs?: number;
}

/** A loaded model that runs somewhere: in a worker thread, on a device, at another server. */
export interface Engine {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly OutputInfo[];
  /** What computes, where the runtime has several: a provider of onnxruntime, a backend of TensorFlow.js. */
  readonly provider?: string | undefined;
  /**
   * Runs one sample: a tensor for each input in order, without the batch axis; resolves to one for each output, in a type that a
   * tensor can have: wider whole numbers as int32, float64 as the nearest float32.
   * @throws EngineError `run-failed`, also naming an output that is empty or has a number outside the range of int32
   */
  run(inputs: readonly Tensor[], options?: RunOptions): Promise<Tensor[]>;
  /**
   * Runs many samples; at once where the batch axes of all inputs are dynamic, else one after another. Where that
   * fails though each sample runs alone, it is tried again after a pause.
   * Resolves to the outputs of each sample, in the order of the samples, in types as {@link Engine.run} gives them.
   */
  runBatch(samples: readonly Sample[], options?: RunOptions): Promise<Tensor[][]>;
  /** As {@link Engine.runBatch}, with outputs of the types and sizes that the network gives; an axis may be 0. */
  answer(samples: readonly Sample[], options?: RunOptions): Promise<OutputTensor[][]>;
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
