import {
  bytesPerElement,
  type Dtype,
  dtypes,
  type Layout,
  type Tensor,
  type TensorData,
  tensorArrays,
} from "./tensor.js";

/** What outputs of models may hold: what tensors hold, and wider numbers, which travel in results only (spec, registry: output types). */
export interface OutputData extends TensorData {
  readonly float64: Float64Array;
  readonly int16: Int16Array;
  readonly uint16: Uint16Array;
  readonly uint32: Uint32Array;
  readonly int64: BigInt64Array;
  readonly uint64: BigUint64Array;
}
export type OutputDtype = keyof OutputData;

/** Bytes of one element of an output. */
export const bytesPerOutputElement: Readonly<Record<OutputDtype, number>> = {
  ...bytesPerElement,
  ...{ float64: 8, int16: 2, uint16: 2, uint32: 4, int64: 8, uint64: 8 },
};

/** An output of a model, in row-major order. Every `Tensor` is one. */
export interface OutputTensor<D extends OutputDtype = OutputDtype> {
  readonly dtype: D;
  /** Sizes of the axes, outermost first, without a batch axis. One may be 0: a detector that has found nothing. */
  readonly shape: readonly number[];
  readonly layout: Layout;
  readonly data: OutputData[D];
}

/** Whether an output is of a type that a tensor can have, and not empty. */
export function isTensor(output: OutputTensor): output is Tensor {
  return dtypes.includes(output.dtype as Dtype) && !output.shape.includes(0);
}

const outputArrays = {
  ...tensorArrays,
  float64: Float64Array,
  int16: Int16Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
} as const;

/**
 * A view of elements in a buffer.
 * @param byteOffset a multiple of the element's size
 * @throws RangeError where the elements do not lie in the buffer
 */
export function outputElements<D extends OutputDtype>(
  dtype: D,
  buffer: ArrayBuffer,
  byteOffset: number,
  count: number,
): OutputData[D] {
  return new outputArrays[dtype](buffer, byteOffset, count) as OutputData[D];
}
