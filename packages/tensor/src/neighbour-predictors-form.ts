import { decodeBase64, encodeBase64 } from "./base64.js";
import { decodeFloat16, encodeFloat16 } from "./float16.js";
import {
  checkNeighbourPredictors,
  maxTaps,
  type NeighbourPredictors,
  type NeighbourTaps,
} from "./neighbour-predictors.js";
import { TensorError } from "./tensor.js";

interface EncodedTaps {
  readonly taps: number;
  /** uint16. */
  readonly sources: string;
  /** float16. */
  readonly weights: string;
}

/** {@link NeighbourPredictors} as a JSON-compatible object; arrays are base64 of little-endian elements. */
export interface EncodedNeighbours {
  readonly near: EncodedTaps;
  readonly own: EncodedTaps;
  readonly others: EncodedTaps;
}

function encodeWords(words: readonly number[]): string {
  const bytes = new Uint8Array(2 * words.length);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of words.entries()) view.setUint16(2 * i, word, true);
  return encodeBase64(bytes);
}

function decodeWords(text: unknown, length: number, field: string): Uint16Array {
  if (typeof text !== "string") throw new TensorError(field, "must be a string");
  const bytes = decodeBase64(text, 2 * length, field);
  const view = new DataView(bytes.buffer);
  return Uint16Array.from({ length }, (_, i) => view.getUint16(2 * i, true));
}

function encodeTaps({ taps, sources, weights }: NeighbourTaps): EncodedTaps {
  return {
    taps,
    sources: encodeWords([...sources]),
    weights: encodeWords(Array.from(weights, encodeFloat16)),
  };
}

function decodeTaps(value: unknown, channels: number, field: string): NeighbourTaps {
  if (typeof value !== "object" || value === null) throw new TensorError(field, "must be an object");
  const { taps, sources, weights } = value as Record<string, unknown>;
  if (typeof taps !== "number" || !Number.isInteger(taps) || taps < 1 || taps > maxTaps) {
    throw new TensorError(`${field}.taps`, `must be 1 to ${maxTaps}`);
  }
  const decoded = {
    taps,
    sources: decodeWords(sources, taps * channels, `${field}.sources`),
    weights: Float32Array.from(decodeWords(weights, taps * channels, `${field}.weights`), decodeFloat16),
  };
  if (!decoded.weights.every(Number.isFinite)) throw new TensorError(`${field}.weights`, "must be finite");
  return decoded;
}

/** @throws TensorError as {@link checkNeighbourPredictors} */
export function encodeNeighbours(predictors: NeighbourPredictors, channels: number): EncodedNeighbours {
  checkNeighbourPredictors(predictors, channels);
  const { near, own, others } = predictors;
  return { near: encodeTaps(near), own: encodeTaps(own), others: encodeTaps(others) };
}

/** @throws TensorError naming the member that is missing, of another length or not what it must be */
export function decodeNeighbours(value: unknown, channels: number): NeighbourPredictors {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TensorError("neighbours", "must be an object");
  }
  const { near, own, others } = value as Record<string, unknown>;
  const predictors = {
    near: decodeTaps(near, channels, "neighbours.near"),
    own: decodeTaps(own, channels, "neighbours.own"),
    others: decodeTaps(others, channels, "neighbours.others"),
  };
  checkNeighbourPredictors(predictors, channels);
  return predictors;
}
