/** What the worker thread of an ONNX model is started with. */
export interface OnnxWorkerSettings {
  readonly model: Uint8Array;
  readonly runtime: string;
  readonly threads: number;
  readonly graphOptimization: "all" | "disabled";
}
