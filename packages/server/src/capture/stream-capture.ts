import type { ReceivedFrame } from "@sluice/protocol";
import { type Tensor, tensorBytes } from "@sluice/tensor";
import type { ReceivedTensor, TensorReceiver } from "../tensor-receiver.js";
import type { CapturedFrame, CapturedStream, CapturedTensor, CaptureOutcome } from "./capture-record.js";
import { encodeCapturedFrame, encodeCaptureHead, sha256 } from "./encode-capture.js";
import { type FrameSample, isSampled } from "./frame-sample.js";

/** Captures the frames of one tensor stream. */
export interface StreamCapture {
  /** A frame is about to be decoded. */
  begin(frame: ReceivedFrame): FrameCapture;
  /** A frame has ended before it was decoded. */
  shed(frame: ReceivedFrame, code: number | undefined, nowMs: number): void;
}

/** One frame on its way through the server. */
export interface FrameCapture {
  /** What decoding and concealing have given, before the model gets it; `undefined`: nothing. */
  decoded(received: ReceivedTensor | undefined): void;
  end(end: FrameEnd, nowMs: number): void;
}

export interface FrameEnd {
  readonly outcome: CaptureOutcome;
  readonly code?: number | undefined;
  /** The answer's payload. */
  readonly answer: Uint8Array;
}

export interface StreamCaptureOptions {
  readonly head: CapturedStream;
  readonly sample: FrameSample;
  readonly receiver: Pick<TensorReceiver, "state">;
  /** Writes behind what was written before. `false`: it was not written. */
  readonly append: (bytes: Uint8Array) => boolean;
}

export function createStreamCapture({ head, sample, receiver, append }: StreamCaptureOptions): StreamCapture {
  let hasHead = false;
  let ordinal = 0;
  let place = 0;
  /** Where every frame is captured each one begins where the one before it has ended, so that no state is needed. */
  let isUnbroken = sample.kind === "all";

  function write(frame: CapturedFrame): void {
    const record = encodeCapturedFrame(frame);
    const isWritten = append(hasHead ? record : Buffer.concat([encodeCaptureHead(head), record]));
    if (isWritten) hasHead = true;
    else isUnbroken = false;
  }

  return {
    begin(frame) {
      const own = { place: place++, ordinal: ordinal++ };
      const state = isUnbroken ? undefined : receiver.state();
      let concealedShare = 0;
      let tensor: CapturedTensor | undefined;
      return {
        decoded(received) {
          if (!received) return;
          const { missingCount, missing } = received.context;
          concealedShare = missingCount / received.tensor.data.length;
          // What is wrong with the others shows later; then the model has the tensor.
          const isChosen = isSampled(sample, { place: own.place, isLost: false, concealedShare });
          const hashes = isChosen
            ? { hashes: { tensor: hashTensor(received.tensor), missing: sha256(missing) } }
            : {};
          tensor = { missingCount, refused: received.refused, ...hashes };
        },
        end(end, nowMs) {
          const isLost = end.outcome !== "done" || nowMs > frame.expiresAtMs;
          if (!isSampled(sample, { place: own.place, isLost, concealedShare })) return;
          write({
            ...framePart(frame, end, nowMs),
            ordinal: own.ordinal,
            ...(state && { state }),
            ...(tensor && { tensor }),
          });
        },
      };
    },
    shed(frame, code, nowMs) {
      if (!isSampled(sample, { place: place++, isLost: true, concealedShare: 0 })) return;
      const end: FrameEnd = { outcome: "expired", code, answer: new Uint8Array(0) };
      write({ ...framePart(frame, end, nowMs), state: receiver.state() });
    },
  };
}

export function hashTensor(tensor: Tensor): Uint8Array {
  return sha256(tensorBytes(tensor));
}

function framePart(frame: ReceivedFrame, { outcome, code, answer }: FrameEnd, endedMs: number) {
  const { slices, unitsReceived, slicesRecovered, capturedMs, expiresAtMs } = frame;
  return {
    ...{ frame: frame.frame, slices, unitsReceived, slicesRecovered, capturedMs, expiresAtMs, endedMs },
    ...(code === undefined ? {} : { code }),
    ...{ outcome, answer },
  };
}
