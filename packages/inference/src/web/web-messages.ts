import type { WorkerReply, WorkerRequest } from "../worker-engine/messages.js";

/** Where onnxruntime-web computes. */
export type WebProvider = "webgpu" | "wasm";

/** What the worker is started with; it comes first. */
export interface WebWorkerSettings {
  readonly kind: "load";
  readonly model: Uint8Array;
  /** In the order in which they are tried. */
  readonly providers: readonly WebProvider[];
  /** Folder of the `ort-wasm-*` files, with a slash at its end; `undefined`: beside the script of onnxruntime-web. */
  readonly wasmFolder: string | undefined;
  readonly threads: number;
  readonly graphOptimization: "all" | "disabled";
}

export type WebWorkerRequest = WebWorkerSettings | WorkerRequest;

export type WebWorkerReply =
  | WorkerReply
  /** Beside `ready`, and before it. */
  | { readonly kind: "provider"; readonly provider: WebProvider; readonly passedOver: readonly string[] };
