import type { OutputData, OutputDtype } from "@sluice/tensor";

/** Elements as the runtimes hold them. */
export type RawData = OutputData[OutputDtype];

/** A tensor as a runtime takes and gives it: with the batch axis, its type by onnxruntime's name. */
export interface RawTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: RawData;
}

/** An input or output as a runtime describes it; text for an axis of unknown size. */
export interface RawInfo {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

/** From the main thread to the worker. */
export type WorkerRequest =
  | { readonly kind: "run"; readonly id: number; readonly inputs: Readonly<Record<string, RawTensor>> }
  | { readonly kind: "close" };

/** Why a worker does not run a network: no runtime, not what was to compute it, or not this network. */
export type RefusalReason = "not-available" | "no-provider" | "load-failed";

export function kindOfRefusal(reason: RefusalReason): "not-available" | "load-failed" {
  return reason === "no-provider" ? "not-available" : reason;
}

/** From the worker to the main thread. `log`: what was tried and what runs the network, a line each. */
export type WorkerReply =
  | {
      readonly kind: "ready";
      readonly inputs: readonly RawInfo[];
      readonly outputs: readonly RawInfo[];
      /** What computes: a provider of onnxruntime, a backend of TensorFlow.js. */
      readonly provider?: string;
      readonly log?: readonly string[];
    }
  | { readonly kind: "refused"; readonly reason: RefusalReason; readonly message: string }
  | {
      readonly kind: "done";
      readonly id: number;
      readonly outputs: readonly RawTensor[];
      /** The inputs' memory, to be used again. */
      readonly spent?: readonly ArrayBuffer[];
    }
  | { readonly kind: "failed"; readonly id: number; readonly message: string };
