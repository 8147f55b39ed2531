/** What the worker thread of an ONNX model is started with. */
export interface OnnxWorkerSettings {
  readonly model: Uint8Array;
  readonly runtime: string;
  readonly threads: number;
  readonly graphOptimization: "all" | "disabled";
  /** Outputs are told without their values, and those that are no tensors not at all. */
  readonly shapesOnly: boolean;
}
