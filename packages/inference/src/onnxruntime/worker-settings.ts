import type { ProviderChoice } from "./providers.js";

/** What the worker thread of an ONNX model is started with. */
export interface OnnxWorkerSettings {
  readonly model: Uint8Array;
  readonly runtime: string;
  readonly provider: ProviderChoice;
  /** Of the lock that all worker threads of the process share. */
  readonly lock: SharedArrayBuffer;
  readonly threads: number;
  readonly graphOptimization: "all" | "disabled";
  /** Outputs are told without their values, and those that are no tensors not at all. */
  readonly shapesOnly: boolean;
  /** Sizes of batches by which `auto` chooses. */
  readonly batches: readonly number[];
}
