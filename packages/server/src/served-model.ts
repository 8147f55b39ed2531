import type { CutStatistics, Tensor, TensorSpec } from "@sluice/tensor";

/** What a client asks to be served when it opens a tensor stream. */
export interface StreamRequest {
  readonly model: string;
  /** The tensor at the cut; empty: the model's input. */
  readonly split: string;
  readonly spec: TensorSpec;
}

/** What is known of a frame beside its tensor. */
export interface FrameContext {
  /** 1 where an element did not arrive and was concealed, else 0. */
  readonly missing: Uint8Array;
  readonly missingCount: number;
}

/** The server's half of a model, ready to run. */
export interface ServedStream {
  /** Runs on one tensor; resolves to the answer that goes into the result, as MessagePack. */
  run(tensor: Tensor, context: FrameContext): Promise<unknown>;
  /** The statistics of the cut and their SHA-256, where there are any. */
  readonly statistics?: { readonly value: CutStatistics; readonly hash: Uint8Array };
  /** SHA-256 of the model's file, by which captures know it. */
  readonly modelHash?: Uint8Array;
}

/** Finds what serves a stream. @throws StreamRefusal */
export type OpenServedStream = (request: StreamRequest) => Promise<ServedStream>;

/** A tensor stream cannot be served; `code` is from the error registry. */
export class StreamRefusal extends Error {
  override readonly name = "StreamRefusal";
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}
