import { answerTensor, inferenceTimeOf, readAnswer } from "../answer-tensor.js";
import type { OpenServedStream } from "../served-model.js";
import { createTensorReceiver, type ReceivedTensor, type TensorReceiver } from "../tensor-receiver.js";
import type { CapturedFrame } from "./capture-record.js";
import { sha256 } from "./encode-capture.js";
import type { CaptureEntry, CaptureReader } from "./read-capture.js";
import { hashTensor } from "./stream-capture.js";

/** What a frame gives today, by the code that the server runs. */
export interface ReplayedFrame {
  readonly captured: CapturedFrame;
  /** `undefined`: what it builds on is not in the capture. */
  readonly now?: {
    /** `undefined`: nothing of it can be decoded. */
    readonly received: ReceivedTensor | undefined;
    /** The answer's payload; empty where there is none. */
    readonly answer: Uint8Array;
    /** What the model threw. */
    readonly error?: Error;
  };
  /** Whether these are the same, bit for bit; `undefined`: the capture does not say. */
  readonly isSameTensor: boolean | undefined;
  readonly isSameMask: boolean | undefined;
  readonly isSameAnswer: boolean | undefined;
}

export interface ReplayOptions {
  /** Finds the model; its statistics must be those of the capture. */
  readonly openServedStream: OpenServedStream;
  /** Only this one; those that it builds on are decoded too. */
  readonly frame?: number;
}

/**
 * Decodes, conceals and infers the frames of a capture again.
 * @throws StreamRefusal where the stream cannot be opened here, CaptureError where the capture lies
 */
export async function* replayCapture(
  reader: CaptureReader,
  { openServedStream, frame }: ReplayOptions,
): AsyncGenerator<ReplayedFrame> {
  const { options } = reader.stream;
  const { model, split, spec, resultContent: content, maxResultBytes } = options;
  const served = await openServedStream({ model, split, spec, content, maxResultBytes });
  const receiver = await createTensorReceiver(options, served);
  // Frames that were not decoded left the stream as it was.
  const aside = await createTensorReceiver(options, served);
  let ordinal = -1;
  for (const entry of neededFor(reader.entries, frame)) {
    const captured = await reader.read(entry);
    const isWanted = frame === undefined || captured.frame === frame;
    const { state } = captured;
    const own = captured.ordinal === undefined ? aside : receiver;
    const isReady = state !== undefined || captured.ordinal === ordinal + 1;
    if (state) own.restore(state);
    if (isReady && captured.ordinal !== undefined) ordinal = captured.ordinal;
    if (!isReady) {
      if (isWanted) yield unknown(captured);
      continue;
    }
    const received = own.receive(captured, () => 0);
    if (isWanted) yield await compare(captured, own, received);
  }
}

/** The frames of this number, each behind those that it builds on; all of them where no number is given. */
function neededFor(entries: readonly CaptureEntry[], frame: number | undefined): readonly CaptureEntry[] {
  if (frame === undefined) return entries;
  const needed = new Set<CaptureEntry>();
  entries.forEach((entry, at) => {
    if (entry.frame !== frame) return;
    let from = at;
    if (entry.ordinal !== undefined) while (from > 0 && !entries[from]!.hasState) from--;
    for (const each of entries.slice(from, at + 1)) needed.add(each);
  });
  return entries.filter((entry) => needed.has(entry));
}

function unknown(captured: CapturedFrame): ReplayedFrame {
  return { captured, isSameTensor: undefined, isSameMask: undefined, isSameAnswer: undefined };
}

async function compare(
  captured: CapturedFrame,
  { served, resultFormat: format }: TensorReceiver,
  received: ReceivedTensor | undefined,
): Promise<ReplayedFrame> {
  // Before the model gets it, which may write over it.
  const tensorHash = received && hashTensor(received.tensor);
  const missingHash = received && sha256(received.context.missing);
  const { hashes } = captured.tensor ?? {};
  const wasDecoded = captured.outcome !== "expired";
  // Where nothing could be decoded there is nothing to hash, and that is to be so again.
  const isUndecodable = captured.outcome === "undecodable" || received === undefined;
  const same = (then: Uint8Array | undefined, now: Uint8Array | undefined) => {
    if (!wasDecoded) return undefined;
    if (isUndecodable) return captured.outcome === "undecodable" && received === undefined;
    return then && now && isEqual(then, now);
  };
  let answer: Uint8Array = new Uint8Array(0);
  let error: Error | undefined;
  try {
    // The time that it took belongs to the answer, and was another one then.
    const inferenceMs = inferenceTimeOf(readAnswer(captured.answer, format));
    const about = { frameNumber: captured.frame, inferenceMs, format };
    if (received) answer = await answerTensor(served, received, about);
  } catch (cause) {
    error = cause instanceof Error ? cause : new Error(String(cause));
  }
  return {
    captured,
    now: { received, answer, ...(error && { error }) },
    isSameTensor: same(hashes?.tensor, tensorHash),
    isSameMask: same(hashes?.missing, missingHash),
    isSameAnswer: wasDecoded ? isEqual(captured.answer, answer) : undefined,
  };
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}
