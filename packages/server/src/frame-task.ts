/** What a server does with a frame: it waits for its turn, is decoded, concealed and inferred, and is answered once. */
import { ErrorCode, type FrameAnswer, type ReceivedFrame, type SessionObserver } from "@sluice/protocol";
import type { Clock } from "@sluice/transport";
import type { FrameCapture, StreamCapture } from "./capture/stream-capture.js";
import { encodeAnswer } from "./model-answer.js";
import type { Account, FrameTask } from "./scheduling/scheduler.js";
import type { ServerLog, ServerObserver } from "./server-observer.js";
import type { ReceivedTensor, TensorReceiver } from "./tensor-receiver.js";

/** How a frame ended; what is left out is as in {@link notDecoded}. */
export type FrameEnd = Pick<FrameAnswer, "outcome" | "code" | "stages"> & Partial<FrameAnswer>;

export const noStages: FrameAnswer["stages"] = { decode: 0, conceal: 0, queue: 0, inference: 0 };

/** Why a frame is not answered that nobody waits for any more. */
export const sessionClosed = "session-closed";

/** Of a frame that was not decoded. */
export const notDecoded = { elements: 0, concealedElements: 0, payload: new Uint8Array(0) } as const;

export interface FrameTaskOptions {
  readonly frame: ReceivedFrame;
  readonly receiver: TensorReceiver;
  readonly account: Account;
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly observer: ServerObserver;
  /** Keeps the stream's frames for `sluice replay`. */
  readonly capture: StreamCapture | undefined;
  /** Told when it has been decoded and inferred, for traces. */
  readonly observe: SessionObserver | undefined;
  /** Its slices are of no more use. */
  readonly onDecoded?: (() => void) | undefined;
  readonly answer: (frame: ReceivedFrame, end: FrameEnd) => void;
}

export function createFrameTask(options: FrameTaskOptions): FrameTask {
  const { frame, receiver, account, clock, log, observer, observe } = options;
  const { stream, frame: number } = frame;
  const { served } = receiver;
  const arrivedMs = clock.now();
  let received: ReceivedTensor | undefined;
  let queueMs = 0;
  let capture: FrameCapture | undefined;

  function answer(end: Omit<FrameEnd, "stages">, inferenceMs: number): void {
    const { decodeMs = 0, concealMs = 0, tensor, context } = received ?? {};
    options.answer(frame, {
      ...end,
      stages: { decode: decodeMs, conceal: concealMs, queue: queueMs, inference: inferenceMs },
      ...(tensor ? { elements: tensor.data.length, concealedElements: context?.missingCount ?? 0 } : {}),
    });
    capture?.end({ ...end, answer: end.payload ?? notDecoded.payload }, clock.now());
  }

  /** It has run: what it waited for its turn and, decoded, for the batch before it are one queue. */
  function ran(waitMs: number, inferenceMs: number): void {
    queueMs += waitMs;
    observer.observeStage("queue", queueMs);
    observer.observeStage("inference", inferenceMs);
    observe?.({ name: "tensor_inferred", stream, frame: number, inferenceMs });
    observer.observeFrameAge("inference", clock.now() - inferenceMs - frame.capturedMs);
  }

  function fail(error: unknown, inferenceMs: number): void {
    log.error({ err: error, stream: frame.stream, frame: frame.frame }, "the model failed on a frame");
    answer({ outcome: "failed", code: ErrorCode.modelFailed }, inferenceMs);
  }

  return {
    ...{ account, network: served.network, expiresAtMs: frame.expiresAtMs },
    bytes: frame.slices.reduce((sum, slice) => sum + slice.payload.length, 0),
    // Decoding waits for its turn too: a tensor can be far larger than its slices.
    prepare() {
      queueMs = clock.now() - arrivedMs;
      capture = options.capture?.begin(frame);
      try {
        received = receiver.receive(frame, clock.now);
        capture?.decoded(received);
      } catch (error) {
        log.error({ err: error, stream: frame.stream, frame: frame.frame }, "decoding failed");
      }
      options.onDecoded?.();
      if (!received) {
        observer.observeStage("queue", queueMs);
        answer({ outcome: "undecodable", code: ErrorCode.nothingDecodable }, 0);
        return undefined;
      }
      for (const reason of received.refused) observer.observeSlicesRejected(reason);
      observer.observeStage("decode", received.decodeMs);
      observer.observeStage("conceal", received.concealMs);
      const { decodeMs, concealMs, tensor, context } = received;
      observer.observeConcealedRatio(context.missingCount / tensor.data.length);
      observe?.({ name: "tensor_decoded", stream, frame: number, decodeMs, concealMs });
      const { missingCount: concealedElements } = context;
      if (concealedElements > 0) {
        const { length: elements } = tensor.data;
        observe?.({ name: "tensor_concealed", stream, frame: number, elements, concealedElements });
      }
      return received;
    },
    done(output, waitMs, inferenceMs) {
      ran(waitMs, inferenceMs);
      const startMs = clock.now();
      let payload: Uint8Array;
      try {
        const value = served.answer(output, { ...received!, frameNumber: frame.frame, inferenceMs });
        payload = encodeAnswer(value, receiver.resultFormat);
      } catch (error) {
        fail(error, inferenceMs);
        return;
      }
      answer({ outcome: "done", payload }, inferenceMs);
      observer.observeStage("result", clock.now() - startMs);
    },
    failed(error, waitMs, inferenceMs) {
      ran(waitMs, inferenceMs);
      fail(error, inferenceMs);
    },
    shed(reason) {
      if (reason === "closed") {
        // Nobody is there to be answered.
        observer.observeFrame("expired", sessionClosed);
        return;
      }
      queueMs = clock.now() - arrivedMs;
      const code = reason === "late" ? ErrorCode.expiredInQueue : ErrorCode.overloaded;
      // One that was decoded and is shed before it is tried again ends like any other.
      if (!capture) options.capture?.shed(frame, code, clock.now());
      answer({ outcome: "expired", code }, 0);
    },
  };
}
