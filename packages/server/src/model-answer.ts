/** What models answer (spec 7.2), after the source's result format: frame number, inference time and predictions. */
import { Buffer } from "node:buffer";
import { ErrorCode, maxResultPayloadBytes, type ResultFormat } from "@sluice/protocol";
import { bytesPerOutputElement, elementCount, type OutputTensor, tensorBytes } from "@sluice/tensor";
import { pack } from "msgpackr";
import { type AnsweredFrame, StreamRefusal } from "./served-model.js";

/** One class that a classifier takes its input for. */
export interface AnsweredPrediction {
  /** Index of the class, as text. */
  readonly name: string;
  readonly description: string;
  /** 0 to 1. */
  readonly score: number;
}

/** An output of a model as it is carried: elements little-endian; in JSON they are base64. */
export interface AnsweredOutput {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

export interface ModelAnswer {
  readonly frameNumber: number;
  /** Of the batch that the frame was in, in milliseconds. */
  readonly inferenceTime: number;
  readonly predictions?: readonly AnsweredPrediction[];
  readonly outputs?: readonly AnsweredOutput[];
}

/** The answer of a classifier, best class first. */
export function answerPredictions(
  predictions: readonly AnsweredPrediction[],
  frame: AnsweredFrame,
): ModelAnswer {
  return { frameNumber: frame.frameNumber, inferenceTime: roundTime(frame.inferenceMs), predictions };
}

/** The answer of any model: its outputs. Those of int64 whose numbers all fit go as int32, in half the bytes (spec 7.2). */
export function answerOutputs(
  names: readonly string[],
  outputs: readonly OutputTensor[],
  frame: AnsweredFrame,
): ModelAnswer {
  return {
    frameNumber: frame.frameNumber,
    inferenceTime: roundTime(frame.inferenceMs),
    outputs: outputs.map((tensor, i) => {
      const { dtype, shape, data } = asInt32(tensor);
      return { name: names[i] ?? "", dtype, shape, data: tensorBytes({ data }) };
    }),
  };
}

function asInt32(output: OutputTensor): OutputTensor {
  const { data } = output;
  if (!(data instanceof BigInt64Array)) return output;
  const narrow = new Int32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    narrow[i] = Number(data[i]);
    if (BigInt(narrow[i]!) !== data[i]) return output;
  }
  return { ...output, dtype: "int32", data: narrow };
}

/** Times have no use for more than a hundredth of a millisecond. */
function roundTime(ms: number): number {
  return Math.round(ms * 100) / 100;
}

/** What stands around the elements of an output at most, beside its name. */
const outputOverheadBytes = 160;

/**
 * Checks that outputs of these specs fit a result, before a stream is accepted that asks for them.
 * @param maxResultBytes of a payload that may have a QUIC stream of its own
 * @throws StreamRefusal
 */
export function checkOutputsFit(
  outputs: readonly (Pick<OutputTensor, "dtype" | "shape"> & { readonly name: string })[],
  maxResultBytes = 0,
): void {
  // As base64, so that they fit in either format.
  const bytes = outputs.reduce(
    (sum, { name, dtype, shape }) =>
      sum +
      Math.ceil((elementCount(shape) * bytesPerOutputElement[dtype]) / 3) * 4 +
      3 * name.length +
      outputOverheadBytes,
    0,
  );
  const most = Math.max(maxResultPayloadBytes, maxResultBytes);
  if (bytes <= most) return;
  throw new StreamRefusal(
    ErrorCode.specMismatch,
    `result_content: the outputs take ${bytes} bytes, a result of this stream holds ${most} (max_result_bytes of client and server); a classifier can answer with predictions`,
  );
}

/** An answer as the payload of a result. */
export function encodeAnswer(answer: unknown, format: ResultFormat): Uint8Array {
  return format === "json" ? new TextEncoder().encode(JSON.stringify(answer, jsonForm)) : pack(answer);
}

function jsonForm(_key: string, value: unknown): unknown {
  // Whole tensors come by here; Node's own base64 takes a hundredth of the time.
  return value instanceof Uint8Array
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64")
    : value;
}
