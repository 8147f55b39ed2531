/** Frames from a source through the client's stages to a server and their results back, with bounds everywhere. */
import type { Codec } from "@sluice/codec";
import type { Tensor, TensorSpec } from "@sluice/tensor";
import type { Clock } from "@sluice/transport/core";
import type { FrameBudget, OpenStreamOptions, TensorStream } from "../client-api.js";
import type { FrameCounts } from "../frame-counts.js";
import type { FrameOutcome } from "../frame-outcome.js";
import type { LaneFigures } from "../lane.js";

/** Where frames come from: an array, a generator, a stream of a camera. It is asked for one frame at a time. */
export type FrameSource<Frame> = AsyncIterable<Frame> | Iterable<Frame>;

/** What a stage knows beside its input. */
export interface StageContext {
  /** Aborts when the pipeline ends before its time. */
  readonly signal: AbortSignal;
  /** What the encoded frame may have to be in time. */
  readonly budget: FrameBudget;
}

export type StageFunction<In, Out> = (value: In, context: StageContext) => Out | Promise<Out>;

export interface StageOptions {
  /** Names it in the figures. */
  readonly name?: string;
  /** Frames that it works on at once. Default 1. */
  readonly concurrency?: number;
  /** Frames that wait for it; when they are as many, the stage before it waits. Default 1. */
  readonly queue?: number;
}

/** An engine, as `@sluice/inference` and others have it: one tensor in, tensors out. */
export interface TensorEngine {
  run(inputs: readonly Tensor[]): Promise<readonly Tensor[]>;
}

/** Something that takes frames and tells what became of each: a stream, an adaptive stream. */
export interface FrameSink<Frame, Outcome extends FrameOutcome = FrameOutcome> {
  send(frame: Frame, capturedMs?: number): Promise<Outcome>;
}

export interface SendFramesOptions {
  /** Frames between the source and their results. Default 8. */
  readonly maxInFlight?: number;
  /**
   * `drop` (default): a source that is live is asked on, and what finds no room is dropped before any work is done on
   * it. `wait`: the source waits, and what the gate turns away for want of room is offered again, as a frame captured
   * then; a stream of the mode `reliable` gets every frame through that way.
   */
  readonly whenFull?: "drop" | "wait";
  /** Ends it: the source is closed, no result follows. */
  readonly signal?: AbortSignal;
  /** Default: the host's own. */
  readonly clock?: Clock;
}

export interface FrameResult<Frame, Outcome extends FrameOutcome = FrameOutcome> {
  readonly frame: Frame;
  readonly outcome: Outcome | FrameOutcome;
}

export interface SendFramesFigures extends FrameCounts {
  /** Results that nobody has taken yet. */
  readonly unread: number;
}

/** Results as frames end, which is not the order of the frames; leaving the loop ends everything. */
export interface FrameResults<Frame, Outcome extends FrameOutcome = FrameOutcome>
  extends AsyncIterable<FrameResult<Frame, Outcome>> {
  figures(): SendFramesFigures;
}

export interface PipelineFigures extends SendFramesFigures {
  /** Each stage in its order. */
  readonly stages: readonly LaneFigures[];
}

export interface PipelineRun<Frame> extends FrameResults<Frame> {
  figures(): PipelineFigures;
  /** The tensor stream, once the first frame has shown what it carries. */
  readonly stream: Promise<TensorStream>;
}

/** What a pipeline needs of a client; both kinds have it. */
export interface PipelineClient {
  openStream(options: OpenStreamOptions): Promise<TensorStream>;
}

export interface PipelineSendOptions
  extends Omit<OpenStreamOptions, "spec" | "codec">,
    Omit<SendFramesOptions, "clock"> {
  /** Default: that of the first frame's tensor. */
  readonly spec?: TensorSpec;
  readonly clock?: Clock;
}

/** A pipeline that is being put together; `Value` is what comes out of its last stage. */
export interface Pipeline<Frame, Value> {
  /** Adds a stage. */
  map<Next>(run: StageFunction<Value, Next>, options?: StageOptions): Pipeline<Frame, Next>;
  /** Adds the client's part of the network: an engine on tensors, or a function. */
  client(head: ClientPart<Value>, options?: StageOptions): Pipeline<Frame, Tensor>;
  /** Says how tensors are encoded. Default: as `openStream` does. */
  encode(codec: string | Codec): Pipeline<Frame, Value>;
  /** Opens a tensor stream with the first frame and sends; nothing runs before the results are asked for. */
  send(client: PipelineClient, options: PipelineSendOptions): PipelineRun<Frame>;
}

/** An engine takes tensors only. */
export type ClientPart<Value> = StageFunction<Value, Tensor> | (Value extends Tensor ? TensorEngine : never);
