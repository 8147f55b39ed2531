import { decodeBase64, encodeBase64 } from "./base64.js";
import { TensorError } from "./tensor.js";
import {
  maxBlockSide,
  maxMatrices,
  maxMixedChannels,
  type TransformStatistics,
} from "./transform-statistics.js";

/** {@link TransformStatistics} as members of a JSON-compatible object; arrays are base64. */
export interface EncodedTransform {
  readonly block: readonly [number, number];
  /** uint8. */
  readonly matrixOfBand: string;
  /** int8; an empty string where components are channels. */
  readonly matrices: string;
  /** float32. */
  readonly gains: string;
  /** uint8. */
  readonly scales: string;
  readonly coarseScales: string;
}

function bytesOf(values: Uint8Array | Int8Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** @throws TensorError naming the array that is of another length or holds what it must not */
export function encodeTransform(transform: TransformStatistics, channels: number): EncodedTransform {
  checkTransform(transform, channels);
  const gains = new DataView(new ArrayBuffer(transform.gains.length * 4));
  for (const [i, gain] of transform.gains.entries()) gains.setFloat32(i * 4, gain, true);
  return {
    block: [...transform.block],
    matrixOfBand: encodeBase64(transform.matrixOfBand),
    matrices: encodeBase64(bytesOf(transform.matrices)),
    gains: encodeBase64(new Uint8Array(gains.buffer)),
    scales: encodeBase64(transform.scales),
    coarseScales: encodeBase64(transform.coarseScales),
  };
}

/** Reads what {@link encodeTransform} wrote. @throws TensorError naming the member that is not what it must be */
export function decodeTransform(
  object: Readonly<Record<string, unknown>>,
  channels: number,
): TransformStatistics {
  const { block } = object;
  if (!Array.isArray(block) || block.length !== 2 || !block.every(isBlockSide)) {
    throw new TensorError("block", `must be two integers from 1 to ${maxBlockSide}`);
  }
  const [height, width] = block as [number, number];
  const matrixOfBand = decodeBase64(text(object, "matrixOfBand"), height * width, "matrixOfBand");
  const count = 1 + Math.max(...matrixOfBand);
  if (count > maxMatrices) throw new TensorError("matrixOfBand", `must be below ${maxMatrices}`);
  const isMixed = text(object, "matrices") !== "";
  if (isMixed) checkMixedChannels(channels);
  const matrices = decodeBase64(
    text(object, "matrices"),
    isMixed ? count * channels * channels : 0,
    "matrices",
  );
  const gainBytes = decodeBase64(text(object, "gains"), count * channels * 4, "gains");
  const view = new DataView(gainBytes.buffer);
  const transform = {
    block: [height, width] as const,
    matrixOfBand,
    matrices: new Int8Array(matrices.buffer),
    gains: Float32Array.from({ length: count * channels }, (_, i) => view.getFloat32(i * 4, true)),
    scales: decodeBase64(text(object, "scales"), height * width * channels, "scales"),
    coarseScales: decodeBase64(text(object, "coarseScales"), height * width * channels, "coarseScales"),
  };
  checkTransform(transform, channels);
  return transform;
}

function isBlockSide(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= maxBlockSide;
}

function text(object: Readonly<Record<string, unknown>>, field: string): string {
  const value = object[field];
  if (typeof value !== "string") throw new TensorError(field, "must be a string");
  return value;
}

function checkMixedChannels(channels: number): void {
  if (channels <= maxMixedChannels) return;
  throw new TensorError("matrices", `of ${channels} channels, at most ${maxMixedChannels} are mixed`);
}

function checkLength(field: string, length: number, expected: number): void {
  if (length !== expected) throw new TensorError(field, `${length} elements, must be ${expected}`);
}

function checkTransform(transform: TransformStatistics, channels: number): void {
  const { block, matrixOfBand, matrices, gains, scales, coarseScales } = transform;
  if (!block.every(isBlockSide)) {
    throw new TensorError("block", `must be two integers from 1 to ${maxBlockSide}`);
  }
  const bands = block[0] * block[1];
  checkLength("matrixOfBand", matrixOfBand.length, bands);
  const count = 1 + Math.max(...matrixOfBand);
  if (count > maxMatrices) throw new TensorError("matrixOfBand", `must be below ${maxMatrices}`);
  if (matrices.length > 0) {
    checkMixedChannels(channels);
    checkLength("matrices", matrices.length, count * channels * channels);
  }
  checkLength("gains", gains.length, count * channels);
  // Sums of channels by 127 by coefficients then stay finite.
  if (!gains.every((gain) => gain > 1e-20 && gain < 1e20)) {
    throw new TensorError("gains", "must be within 1e-20 and 1e20");
  }
  checkLength("scales", scales.length, bands * channels);
  checkLength("coarseScales", coarseScales.length, bands * channels);
}
