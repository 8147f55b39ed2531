import { base64Length, decodeBase64, encodeBase64 } from "./base64.js";
import { decodeFloat16, encodeFloat16 } from "./float16.js";
import { decodeNeighbours, type EncodedNeighbours, encodeNeighbours } from "./neighbour-predictors-form.js";
import type { CutStatistics } from "./statistics.js";
import { checkSpec, elementCount, TensorError } from "./tensor.js";
import { decodeTransform, type EncodedTransform, encodeTransform } from "./transform-form.js";

/** {@link CutStatistics} as a JSON-compatible object; arrays are base64 of little-endian elements. */
export interface EncodedStatistics extends Partial<EncodedTransform> {
  /** 2: with the transform of the codec `sluice`, with neighbours or both. */
  readonly version: 1 | 2;
  readonly cut: string;
  readonly shape: readonly number[];
  readonly samples: number;
  /** float32. */
  readonly channelMean: string;
  readonly channelDeviation: string;
  readonly channelMinimum?: string;
  readonly channelMaximum?: string;
  readonly meanElementDtype: "float32" | "float16";
  readonly meanElement: string;
  readonly neighbours?: EncodedNeighbours;
}

type StoredDtype = EncodedStatistics["meanElementDtype"];

function encodeArray(values: Float32Array, dtype: StoredDtype, field: string): string {
  const size = dtype === "float32" ? 4 : 2;
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const limit = dtype === "float32" ? 3.4028234663852886e38 : 65504;
    if (!(Math.abs(value) <= limit)) {
      throw new TensorError(field, `element ${i} is ${value}, beyond what finite ${dtype} holds`);
    }
    if (dtype === "float32") view.setFloat32(i * 4, value, true);
    else view.setUint16(i * 2, encodeFloat16(value), true);
  }
  return encodeBase64(bytes);
}

function decodeArray(text: string, length: number, dtype: StoredDtype, field: string): Float32Array {
  const size = dtype === "float32" ? 4 : 2;
  const bytes = decodeBase64(text, length * size, field);
  const view = new DataView(bytes.buffer);
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const value =
      dtype === "float32" ? view.getFloat32(i * 4, true) : decodeFloat16(view.getUint16(i * 2, true));
    if (!Number.isFinite(value)) throw new TensorError(field, `element ${i} is not finite`);
    values[i] = value;
  }
  return values;
}

/**
 * The stored form of statistics. `meanElementDtype` float16 halves the largest part of it, for a relative error of
 * at most 2^-11.
 * @throws TensorError naming the array that holds a value which its dtype cannot.
 */
export function encodeStatistics(
  statistics: CutStatistics,
  meanElementDtype: StoredDtype = "float32",
): EncodedStatistics {
  const { channelMinimum, channelMaximum, transform, neighbours } = statistics;
  return {
    version: transform || neighbours ? 2 : 1,
    cut: statistics.cut,
    shape: [...statistics.shape],
    samples: statistics.samples,
    channelMean: encodeArray(statistics.channelMean, "float32", "channelMean"),
    channelDeviation: encodeArray(statistics.channelDeviation, "float32", "channelDeviation"),
    ...(channelMinimum && { channelMinimum: encodeArray(channelMinimum, "float32", "channelMinimum") }),
    ...(channelMaximum && { channelMaximum: encodeArray(channelMaximum, "float32", "channelMaximum") }),
    meanElementDtype,
    meanElement: encodeArray(statistics.meanElement, meanElementDtype, "meanElement"),
    ...(transform && encodeTransform(transform, statistics.channelMean.length)),
    ...(neighbours && { neighbours: encodeNeighbours(neighbours, statistics.channelMean.length) }),
  };
}

function textField(object: Record<string, unknown>, field: string): string {
  const value = object[field];
  if (typeof value !== "string") throw new TensorError(field, "must be a string");
  return value;
}

/**
 * Reads what {@link encodeStatistics} wrote, from a file or from a peer.
 * @throws TensorError naming the field that is missing, of another type, of the wrong length or not finite.
 */
export function decodeStatistics(value: unknown): CutStatistics {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TensorError("statistics", "must be an object");
  }
  const object = value as Record<string, unknown>;
  if (object.version !== 1 && object.version !== 2) {
    throw new TensorError("version", `must be 1 or 2, got ${JSON.stringify(object.version)}`);
  }
  const [hasTransform, hasNeighbours] = [object.block, object.neighbours].map(
    (member) => object.version === 2 && member !== undefined,
  );
  if (object.version === 2 && !hasTransform && !hasNeighbours) {
    throw new TensorError("version", "2 without a transform (block) or neighbours");
  }
  const { shape, samples, meanElementDtype } = object;
  if (!Array.isArray(shape) || !shape.every((size): size is number => typeof size === "number")) {
    throw new TensorError("shape", "must be a list of numbers");
  }
  checkSpec({ dtype: "float32", shape, layout: "any" });
  if (typeof samples !== "number" || !Number.isSafeInteger(samples) || samples < 1) {
    throw new TensorError("samples", "must be a positive integer");
  }
  if (meanElementDtype !== "float32" && meanElementDtype !== "float16") {
    throw new TensorError("meanElementDtype", "must be float32 or float16");
  }
  const meanText = textField(object, "channelMean");
  // The layout is not stored, and the channel axis is the first (chw), the last (hwc) or none (any).
  const channels = [1, shape[0] ?? 1, shape.at(-1) ?? 1].find(
    (count) => meanText.length === base64Length(count * 4),
  );
  if (channels === undefined) {
    throw new TensorError("channelMean", `of no channel count that the shape [${shape.join(", ")}] allows`);
  }
  const perChannel = (field: string): Float32Array =>
    decodeArray(textField(object, field), channels, "float32", field);
  const channelDeviation = perChannel("channelDeviation");
  if (channelDeviation.some((deviation) => deviation < 0)) {
    throw new TensorError("channelDeviation", "must not be negative");
  }
  return {
    cut: textField(object, "cut"),
    shape: [...shape],
    samples,
    channelMean: perChannel("channelMean"),
    channelDeviation,
    ...(object.channelMinimum !== undefined && { channelMinimum: perChannel("channelMinimum") }),
    ...(object.channelMaximum !== undefined && { channelMaximum: perChannel("channelMaximum") }),
    meanElement: decodeArray(
      textField(object, "meanElement"),
      elementCount(shape),
      meanElementDtype,
      "meanElement",
    ),
    ...(hasTransform && { transform: decodeTransform(object, channels) }),
    ...(hasNeighbours && { neighbours: decodeNeighbours(object.neighbours, channels) }),
  };
}
