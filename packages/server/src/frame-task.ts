/** What a server does with a frame: it waits for its turn, is decoded, concealed and inferred, and is answered once. */
import {
  bytesOf,
  ErrorCode,
  type FrameAnswer,
  type ReceivedFrame,
  type SessionObserver,
} from "@sluice/protocol";
import type { Clock } from "@sluice/transport";
import type { FrameCapture, StreamCapture } from "./capture/stream-capture.js";
import { encodeAnswer } from "./model-answer.js";
import type { Account, FrameTask } from "./scheduling/scheduler.js";
import type { ServerLog, ServerObserver } from "./server-observer.js";
import type { ReceivedTensor, TensorReceiver } from "./tensor-receiver.js";

/** Why a frame is not answered that nobody waits for any more. */
export const sessionClosed = "session-closed";

/** Of a frame that nothing was done with. */
export const nothingDone = {
  stages: { decode: 0, conceal: 0, queue: 0, inference: 0 },
  elements: 0,
  concealedElements: 0,
  payload: new Uint8Array(0),
} as const;

/** What the frames of a stream have in common. */
export interface FrameTaskParts {
  readonly receiver: TensorReceiver;
  readonly account: Account;
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly observer: ServerObserver;
  /** Keeps the stream's frames for `sluice replay`. */
  readonly capture: StreamCapture | undefined;
  /** Told when a frame has been decoded and inferred, for traces. */
  readonly observe: SessionObserver | undefined;
  /** The slices of a frame are of no more use. */
  readonly onDecoded: ((frame: ReceivedFrame) => void) | undefined;
  readonly answer: (frame: ReceivedFrame, answer: FrameAnswer) => void;
}

/** The task of a frame that has come. */
export function createFrameTask(parts: FrameTaskParts, frame: ReceivedFrame): FrameTask {
  return new StreamFrameTask(parts, frame);
}

/** A class, for there is one for every frame: closures over its state would be made as often. */
class StreamFrameTask implements FrameTask {
  readonly account: Account;
  readonly network: FrameTask["network"];
  readonly expiresAtMs: number;
  readonly bytes: number;
  readonly #parts: FrameTaskParts;
  readonly #frame: ReceivedFrame;
  readonly #arrivedMs: number;
  #received: ReceivedTensor | undefined;
  #queueMs = 0;
  #capture: FrameCapture | undefined;

  constructor(parts: FrameTaskParts, frame: ReceivedFrame) {
    this.#parts = parts;
    this.#frame = frame;
    this.#arrivedMs = parts.clock.now();
    this.account = parts.account;
    this.network = parts.receiver.served.network;
    this.expiresAtMs = frame.expiresAtMs;
    this.bytes = bytesOf(frame.slices);
  }

  // Decoding waits for its turn too: a tensor can be far larger than its slices.
  prepare(): ReceivedTensor | undefined {
    const { receiver, clock, log, observer, observe, capture } = this.#parts;
    const { stream, frame: number } = this.#frame;
    this.#queueMs = clock.now() - this.#arrivedMs;
    this.#capture = capture?.begin(this.#frame);
    try {
      this.#received = receiver.receive(this.#frame, clock.now);
      this.#capture?.decoded(this.#received);
    } catch (error) {
      log.error({ err: error, stream, frame: number }, "decoding failed");
    }
    this.#parts.onDecoded?.(this.#frame);
    const received = this.#received;
    if (!received) {
      observer.observeStage("queue", this.#queueMs);
      this.#answer("undecodable", ErrorCode.nothingDecodable, 0);
      return undefined;
    }
    const { decodeMs, concealMs, tensor, context, refused } = received;
    for (const reason of refused) observer.observeSlicesRejected(reason);
    observer.observeStage("decode", decodeMs);
    observer.observeStage("conceal", concealMs);
    observer.observeConcealedRatio(context.missingCount / tensor.data.length);
    observe?.({ name: "tensor_decoded", stream, frame: number, decodeMs, concealMs });
    const { missingCount: concealedElements } = context;
    if (concealedElements > 0) {
      const { length: elements } = tensor.data;
      observe?.({ name: "tensor_concealed", stream, frame: number, elements, concealedElements });
    }
    return received;
  }

  done(output: unknown, waitMs: number, inferenceMs: number): void {
    const { receiver, clock, observer } = this.#parts;
    this.#ran(waitMs, inferenceMs);
    const startMs = clock.now();
    let payload: Uint8Array;
    try {
      const { tensor, context } = this.#received!;
      const about = { tensor, context, frameNumber: this.#frame.frame, inferenceMs };
      payload = encodeAnswer(receiver.served.answer(output, about), receiver.resultFormat);
    } catch (error) {
      this.#fail(error, inferenceMs);
      return;
    }
    this.#answer("done", undefined, inferenceMs, payload);
    observer.observeStage("result", clock.now() - startMs);
  }

  failed(error: unknown, waitMs: number, inferenceMs: number): void {
    this.#ran(waitMs, inferenceMs);
    this.#fail(error, inferenceMs);
  }

  shed(reason: Parameters<FrameTask["shed"]>[0]): void {
    const { clock, observer, capture } = this.#parts;
    if (reason === "closed") {
      // Nobody is there to be answered.
      observer.observeFrame("expired", sessionClosed);
      return;
    }
    this.#queueMs = clock.now() - this.#arrivedMs;
    const code = reason === "late" ? ErrorCode.expiredInQueue : ErrorCode.overloaded;
    // One that was decoded and is shed before it is tried again ends like any other.
    if (!this.#capture) capture?.shed(this.#frame, code, clock.now());
    this.#answer("expired", code, 0);
  }

  #answer(
    outcome: FrameAnswer["outcome"],
    code: number | undefined,
    inferenceMs: number,
    payload: Uint8Array = nothingDone.payload,
  ): void {
    const { answer, clock, receiver } = this.#parts;
    const { decodeMs = 0, concealMs = 0, tensor, context } = this.#received ?? {};
    answer(this.#frame, {
      outcome,
      code,
      stages: { decode: decodeMs, conceal: concealMs, queue: this.#queueMs, inference: inferenceMs },
      elements: tensor?.data.length ?? 0,
      concealedElements: context?.missingCount ?? 0,
      payload,
    });
    this.#capture?.end({ outcome, code, answer: payload }, clock.now());
    if (this.#received) receiver.release(this.#received);
    this.#received = undefined;
  }

  /** It has run: what it waited for its turn and, decoded, for the batch before it are one queue. */
  #ran(waitMs: number, inferenceMs: number): void {
    const { clock, observer, observe } = this.#parts;
    const { stream, frame: number, capturedMs } = this.#frame;
    this.#queueMs += waitMs;
    observer.observeStage("queue", this.#queueMs);
    observer.observeStage("inference", inferenceMs);
    observe?.({ name: "tensor_inferred", stream, frame: number, inferenceMs });
    observer.observeFrameAge("inference", clock.now() - inferenceMs - capturedMs);
  }

  #fail(error: unknown, inferenceMs: number): void {
    const { stream, frame: number } = this.#frame;
    this.#parts.log.error({ err: error, stream, frame: number }, "the model failed on a frame");
    this.#answer("failed", ErrorCode.modelFailed, inferenceMs);
  }
}
