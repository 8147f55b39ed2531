import type { ConcealmentMethod } from "@sluice/concealment";
import type { ResultContent } from "@sluice/protocol";
import type { CutStatistics, Tensor, TensorSpec } from "@sluice/tensor";
import type { BatchCost } from "./scheduling/cost-curve.js";

/** What a client asks to be served when it opens a tensor stream. */
export interface StreamRequest {
  /** `name` or `name@version`. */
  readonly model: string;
  /** The tensor at the cut; empty: the model's input. */
  readonly split: string;
  readonly spec: TensorSpec;
  /** What is to be answered; `model`: what suits it. */
  readonly content: ResultContent;
  /** Bytes of the largest payload that the client takes on a QUIC stream of its own; 0: none. Default 0. */
  readonly maxResultBytes?: number;
}

/** What is known of a frame beside its tensor. */
export interface FrameContext {
  /** 1 where an element did not arrive and was concealed, else 0. */
  readonly missing: Uint8Array;
  readonly missingCount: number;
}

/** A frame as it goes into a network: decoded, with what was lost concealed. */
export interface ServedFrame {
  readonly tensor: Tensor;
  readonly context: FrameContext;
}

/** A frame that a network has run on. */
export interface AnsweredFrame extends ServedFrame {
  readonly frameNumber: number;
  /** How long the batch took that it was in, in milliseconds. */
  readonly inferenceMs: number;
}

/** A loaded network. The frames of all streams that name the same one wait in one line and run together. */
export interface ServedNetwork<Output> {
  /**
   * Runs on some frames at once; resolves to what came of each, in order. Where it rejects, frames that came together are
   * run again one by one, so that only those fail that are to blame.
   * @param options `timeoutMs`: from now on; after that no frame's result is of use, and a network that can give up then may
   *   reject: the frames then count as late
   */
  run(frames: readonly ServedFrame[], options?: { readonly timeoutMs?: number }): Promise<readonly Output[]>;
  /** The most frames of one run. Default 1. */
  readonly maxFrames?: number;
  /** What batches cost, measured before the first frame; the batches that run put it right. Default: none, and no batches. */
  readonly costs?: readonly BatchCost[];
  /** Runs that may be under way: one at work and one that is got ready meanwhile. Default {@link defaultMaxUnderWay}. */
  readonly maxUnderWay?: number;
  /** Whether it works on one run after another. Default false. */
  readonly isSerial?: boolean;
  /**
   * Whether nothing of it, nor of the answers, looks at the frames' tensors once they are answered: their memory then serves
   * the next ones. Default false.
   */
  readonly letsGo?: boolean;
}

export const defaultMaxUnderWay = 2;

/** What serves a stream: the server's half of a model, and what its outputs mean. */
export interface ServedStream<Output = unknown> {
  readonly network: ServedNetwork<Output>;
  /** What goes into the result of a frame, as MessagePack or JSON: plain values and `Uint8Array`s. */
  answer(output: Output, frame: AnsweredFrame): unknown;
  /** The model with its version, as the client is told. Default: as it was asked for. */
  readonly model?: string;
  /** The statistics of the cut and their SHA-256, where there are any. */
  readonly statistics?: { readonly value: CutStatistics; readonly hash: Uint8Array };
  /** How what is missing is filled where the client does not say. Default: {@link defaultConcealment} of `@sluice/concealment`. */
  readonly concealment?: ConcealmentMethod;
  /** SHA-256 of the model's file, by which captures know it. */
  readonly modelHash?: Uint8Array;
  /** What computes it, where there is a choice: another one rounds differently. */
  readonly provider?: string;
  /** To be called when the stream has ended: then its network may make room for another one. */
  release?(): void;
}

/** Finds what serves a stream. @throws StreamRefusal */
export type OpenServedStream = (request: StreamRequest) => Promise<ServedStream>;

/** Serves a stream by a function of one frame. */
export function serveEach(run: (tensor: Tensor, context: FrameContext) => Promise<unknown>): ServedStream {
  return {
    network: { run: (frames) => Promise.all(frames.map(({ tensor, context }) => run(tensor, context))) },
    answer: (output) => output,
  };
}

/** Runs one frame through what serves its stream, as a server does, and takes no time. @returns the answer */
export async function runServedFrame(
  served: ServedStream,
  frame: ServedFrame,
  frameNumber = 0,
): Promise<unknown> {
  const [output] = await served.network.run([frame]);
  return served.answer(output, { ...frame, frameNumber, inferenceMs: 0 });
}

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
