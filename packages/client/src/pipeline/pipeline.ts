/**
 * Puts the client's side together: `pipeline(source).client(model).encode(chain).send(session)`. The gate of the tensor
 * stream stands in front of every stage, so a frame that would be late costs nothing; the stages run at the same time on
 * different frames, each with a bounded queue.
 */
import type { Codec } from "@sluice/codec";
import { specOfTensor, type Tensor } from "@sluice/tensor";
import { createSystemClock } from "@sluice/transport/core";
import type { FrameBudget, OpenStreamOptions, TensorStream } from "../client-api.js";
import type { FrameOutcome } from "../frame-outcome.js";
import { createLane, type Lane } from "../lane.js";
import type {
  ClientPart,
  FrameSource,
  Pipeline,
  PipelineClient,
  PipelineRun,
  PipelineSendOptions,
  StageFunction,
  StageOptions,
} from "./pipeline-api.js";
import { sendFrames } from "./send-frames.js";

/** What comes out of one stage goes into the next; the types are checked where the stages are added. */
type AnyStage = { readonly run: StageFunction<unknown, unknown>; readonly options: StageOptions };

/** Begins a pipeline. */
export function pipeline<Frame>(source: FrameSource<Frame>): Pipeline<Frame, Frame> {
  return extend<Frame, Frame>(source, [], undefined);
}

function extend<Frame, Value>(
  source: FrameSource<Frame>,
  stages: readonly AnyStage[],
  codec: string | Codec | undefined,
): Pipeline<Frame, Value> {
  const withStage = (run: unknown, options: StageOptions) => [
    ...stages,
    { run: run as AnyStage["run"], options: checkStage(options) },
  ];
  return {
    map: (run, options = {}) => extend(source, withStage(run, options), codec),
    client: (head, options = {}) =>
      extend(source, withStage(stageOf(head), { name: "client", ...options }), codec),
    encode: (chain) => extend(source, stages, chain),
    send: (client, options) => start(source, stages, codec, client, options),
  };
}

function stageOf<Value>(head: ClientPart<Value>): StageFunction<Value, Tensor> {
  if (typeof head === "function") return head;
  return async (value) => {
    const [tensor] = await head.run([value as Tensor]);
    if (!tensor) throw new RangeError("client: the engine gave no tensor");
    return tensor;
  };
}

function checkStage(options: StageOptions): StageOptions {
  const { concurrency = 1, queue = 1 } = options;
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    throw new RangeError(`concurrency must be a whole number from 1, got ${concurrency}`);
  }
  if (!Number.isSafeInteger(queue) || queue < 0) {
    throw new RangeError(`queue must be a whole number from 0, got ${queue}`);
  }
  return options;
}

function start<Frame>(
  source: FrameSource<Frame>,
  stages: readonly AnyStage[],
  codec: string | Codec | undefined,
  client: PipelineClient,
  options: PipelineSendOptions,
): PipelineRun<Frame> {
  const { signal, maxInFlight, whenFull, spec, ...streamOptions } = options;
  const clock = options.clock ?? createSystemClock(globalThis);
  const ending = new AbortController();
  const abort = () => ending.abort(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  const lanes = stages.map(({ options: { name, concurrency = 1, queue = 1 } }, at) =>
    createLane({ ...{ name: name ?? `stage ${at + 1}`, concurrency, queue }, clock }),
  );
  let opening: Promise<TensorStream> | undefined;
  let tellStream: (stream: TensorStream) => void = () => {};
  const stream = new Promise<TensorStream>((resolve) => {
    tellStream = resolve;
  });

  async function open(found: OpenStreamOptions["spec"]): Promise<TensorStream> {
    const opened = await client.openStream({
      ...{ ...streamOptions, spec: found },
      ...(codec === undefined ? {} : { codec }),
    });
    tellStream(opened);
    return opened;
  }

  /** The stream, and the tensor of the first frame where it had to be made to know what the stream carries. */
  async function send(frame: Frame, capturedMs = clock.now()): Promise<FrameOutcome> {
    const first = lanes[0];
    if (!opening && !spec) {
      const tensor = await runStages(
        stages,
        lanes,
        frame,
        { bytes: Number.POSITIVE_INFINITY },
        ending.signal,
      );
      opening ??= open(specOfTensor(tensor));
      return (await opening).send(tensor, capturedMs);
    }
    opening ??= open(spec!);
    const opened = await opening;
    if (whenFull !== "wait" && first?.isFull) return { status: "dropped", reason: "in-flight" };
    return opened.send((budget) => runStages(stages, lanes, frame, budget, ending.signal), capturedMs);
  }

  const results = sendFrames(
    source,
    { send },
    {
      ...{ clock, signal: ending.signal },
      ...(maxInFlight === undefined ? {} : { maxInFlight }),
      ...(whenFull === undefined ? {} : { whenFull }),
    },
  );
  return {
    async *[Symbol.asyncIterator]() {
      try {
        yield* results;
      } finally {
        signal?.removeEventListener("abort", abort);
        ending.abort(new Error("the pipeline has ended"));
        void opening?.then(
          (opened) => opened.close(),
          () => {},
        );
      }
    },
    figures: () => ({ ...results.figures(), stages: lanes.map((lane) => lane.figures()) }),
    stream,
  };
}

/** A frame keeps its place in a lane until the next one has taken it in. */
async function runStages(
  stages: readonly AnyStage[],
  lanes: readonly Lane[],
  frame: unknown,
  budget: FrameBudget,
  signal: AbortSignal,
): Promise<Tensor> {
  let value = frame;
  let inside: Lane | undefined;
  try {
    for (const [at, { run }] of stages.entries()) {
      const lane = lanes[at]!;
      await lane.enter(signal);
      inside?.leave();
      inside = lane;
      const input = value;
      ({ value } = await lane.work(() => {
        signal.throwIfAborted();
        return run(input, { signal, budget });
      }));
    }
  } finally {
    inside?.leave();
  }
  return value as Tensor;
}
