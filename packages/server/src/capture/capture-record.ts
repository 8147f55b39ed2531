/**
 * What a capture holds. A capture is a file of one tensor stream: what both sides agreed on, then frames with all that
 * is needed to decode, conceal and infer them again, bit for bit.
 */
import type { TensorStreamOptions } from "@sluice/protocol";

/** Of the form that is written here; others are refused. */
export const captureVersion = 1;

/** The first record of a capture. */
export interface CapturedStream {
  /** When its first frame was captured, as ISO 8601. */
  readonly startedAt: string;
  /** What the stream was opened with; `concealment` is the method that the server chose. */
  readonly options: TensorStreamOptions;
  /** Units that a tensor of it is divided into. */
  readonly units: number;
  /** SHA-256 of the model's file; empty where it is not known. */
  readonly modelHash: Uint8Array;
  /** What computed the model, such as a provider of onnxruntime; empty where it is not known. */
  readonly provider: string;
}

/** A slice as it came. */
export interface CapturedSlice {
  readonly index: number;
  readonly count: number;
  readonly payload: Uint8Array;
  /** In milliseconds of the server's clock. */
  readonly arrivalMs: number;
  /** It was lost, and forward error correction has brought it back. */
  readonly isRecovered: boolean;
}

/** Of a stream, what decoding its next frame depends on beside that frame's slices. */
export interface ReceiverState {
  /** The frame that gaps are filled from, where there is one. */
  readonly last?: { readonly frame: number; readonly bytes: Uint8Array };
  /** Frames that the codec may predict from, in its own form. */
  readonly references: readonly CapturedReference[];
}

export interface CapturedReference {
  readonly frame: number;
  readonly values: Float32Array;
}

/** What became of a frame at the server. */
export const captureOutcomes = ["done", "undecodable", "failed", "expired"] as const;
export type CaptureOutcome = (typeof captureOutcomes)[number];

/** What decoding and concealing gave. */
export interface CapturedTensor {
  readonly missingCount: number;
  /** Why slices were refused by the decoder, in the order in which they came. */
  readonly refused: readonly string[];
  /** SHA-256 of the tensor as the model got it, and of the mask; `undefined`: the frame was chosen after that. */
  readonly hashes?: { readonly tensor: Uint8Array; readonly missing: Uint8Array };
}

/** One frame. */
export interface CapturedFrame {
  readonly frame: number;
  /** The how manieth of the stream it was to be decoded; `undefined`: it was not, for it was late. */
  readonly ordinal?: number;
  readonly slices: readonly CapturedSlice[];
  readonly unitsReceived: number;
  readonly slicesRecovered: number;
  /** In milliseconds of the server's clock, as in `ReceivedFrame`. */
  readonly capturedMs: number;
  readonly expiresAtMs: number;
  readonly endedMs: number;
  /** `undefined`: that of a new stream, or what the frame with the ordinal before left. */
  readonly state?: ReceiverState;
  readonly outcome: CaptureOutcome;
  /** Of the error registry, unless the outcome is `done`. */
  readonly code?: number;
  /** `undefined`: nothing of it was decoded. */
  readonly tensor?: CapturedTensor;
  /** The answer's payload; empty where there was none. */
  readonly answer: Uint8Array;
}
