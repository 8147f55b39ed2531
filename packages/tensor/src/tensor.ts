/** Element types of a tensor; the numbers are the wire's (spec/registry.md). */
export const dtypes = ["float32", "float16", "uint8", "int8", "int32"] as const;
export type Dtype = (typeof dtypes)[number];

/** Bytes of one element. */
export const bytesPerElement: Readonly<Record<Dtype, number>> = {
  float32: 4,
  float16: 2,
  uint8: 1,
  int8: 1,
  int32: 4,
};

/** What the axes mean, outermost first. `any`: no meaning beyond their order. */
export const layouts = ["any", "chw", "hwc"] as const;
export type Layout = (typeof layouts)[number];

/** Whether its numbers may be rounded: whole ones may be places in a table. */
export function isFloatDtype(dtype: Dtype): boolean {
  return dtype === "float32" || dtype === "float16";
}

/** float16 is held as its bit patterns in a Uint16Array. */
export interface TensorData {
  readonly float32: Float32Array;
  readonly float16: Uint16Array;
  readonly uint8: Uint8Array;
  readonly int8: Int8Array;
  readonly int32: Int32Array;
}

/** The shape of a tensor and the type of its elements, without its values. */
export interface TensorSpec<D extends Dtype = Dtype> {
  readonly dtype: D;
  /** Sizes of the axes, outermost first, without a batch axis; each at least 1. Empty: one element. */
  readonly shape: readonly number[];
  readonly layout: Layout;
  /** Of a bundle (spec 6.14): the tensors that lie in it, in their order, at least two. */
  readonly parts?: readonly TensorSpec[];
}

/** A dense tensor in row-major order. */
export interface Tensor<D extends Dtype = Dtype> extends TensorSpec<D> {
  readonly data: TensorData[D];
}

/** Thrown when a tensor, a spec or a parameter is not what it must be; `field` names the culprit. */
export class TensorError extends Error {
  override readonly name = "TensorError";
  constructor(
    readonly field: string,
    message: string,
  ) {
    super(`${field}: ${message}`);
  }
}

/** The most axes and elements that Sluice carries (spec 9, limits). */
export const maxRank = 8;
export const maxElements = 1 << 24;

/** Number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) count *= size;
  return count;
}

/**
 * Checks a spec against the limits.
 * @throws TensorError naming the field: rank over {@link maxRank}, a size that is not a positive integer, more
 *   than {@link maxElements} elements, an unknown dtype or layout, a layout `chw` or `hwc` on a rank other than 3.
 */
export function checkSpec(spec: TensorSpec): void {
  if (!dtypes.includes(spec.dtype)) throw new TensorError("dtype", `unknown: ${String(spec.dtype)}`);
  if (!layouts.includes(spec.layout)) throw new TensorError("layout", `unknown: ${String(spec.layout)}`);
  if (spec.shape.length > maxRank) {
    throw new TensorError("shape", `${spec.shape.length} axes, at most ${maxRank} are allowed`);
  }
  for (const size of spec.shape) {
    if (!Number.isInteger(size) || size < 1) {
      throw new TensorError("shape", `every axis must be a positive integer, got [${spec.shape.join(", ")}]`);
    }
  }
  if (elementCount(spec.shape) > maxElements) {
    throw new TensorError(
      "shape",
      `${elementCount(spec.shape)} elements, at most ${maxElements} are allowed`,
    );
  }
  if (spec.layout !== "any" && spec.shape.length !== 3) {
    throw new TensorError("layout", `${spec.layout} needs three axes, the shape has ${spec.shape.length}`);
  }
}

/** The spec of a tensor, or of what else has the fields of one. */
export function specOfTensor({ dtype, shape, layout, parts }: TensorSpec): TensorSpec {
  return parts ? { dtype, shape, layout, parts } : { dtype, shape, layout };
}

/** The array that holds the elements of each dtype. */
export const tensorArrays = {
  float32: Float32Array,
  float16: Uint16Array,
  uint8: Uint8Array,
  int8: Int8Array,
  int32: Int32Array,
} as const;

/**
 * Makes a tensor; without `data` it is filled with zeros. The data is not copied.
 * @throws TensorError if the spec is invalid or the data is of another length than the shape asks for.
 */
export function createTensor<D extends Dtype>(
  dtype: D,
  shape: readonly number[],
  data?: TensorData[D],
  layout: Layout = shape.length === 3 ? "chw" : "any",
): Tensor<D> {
  checkSpec({ dtype, shape, layout });
  const count = elementCount(shape);
  if (data !== undefined && data.length !== count) {
    throw new TensorError("data", `${data.length} elements, the shape [${shape.join(", ")}] has ${count}`);
  }
  return { dtype, shape, layout, data: data ?? (new tensorArrays[dtype](count) as TensorData[D]) };
}

/** The tensor's bytes in the machine's order, without a copy. */
export function tensorBytes({ data }: { readonly data: ArrayBufferView }): Uint8Array {
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}
