import { elementCount, sliceRange, type Tensor, TensorError, type TensorSpec } from "@sluice/tensor";
import type { EncodedSlice, SlicePosition, TensorEncoder } from "./codec.js";
import type { ElementCoding } from "./element-coding.js";

function checkTensor(tensor: Tensor, spec: TensorSpec, units: number): void {
  if (tensor.dtype !== spec.dtype) {
    throw new TensorError("tensor.dtype", `${tensor.dtype}, the stream's is ${spec.dtype}`);
  }
  if (tensor.data.length !== units) {
    throw new TensorError(
      "tensor.data",
      `${tensor.data.length} elements, the stream's tensors have ${units}`,
    );
  }
}

/** The most elements whose payload fits. @throws TensorError where even one does not. */
function elementsThatFit(coding: ElementCoding, units: number, maxPayloadBytes: number): number {
  let fits = 0;
  let tooMany = units + 1;
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (coding.payloadBytes(middle) <= maxPayloadBytes) fits = middle;
    else tooMany = middle;
  }
  if (fits === 0) {
    throw new TensorError(
      "maxPayloadBytes",
      `${maxPayloadBytes}, one element takes ${coding.payloadBytes(1)} bytes`,
    );
  }
  return fits;
}

/** Encodes the slices `firstIndex` to `endIndex`, exclusive, of `count` into one buffer. */
function encodeSlices(
  coding: ElementCoding,
  tensor: Tensor,
  units: number,
  firstIndex: number,
  endIndex: number,
  count: number,
): EncodedSlice[] {
  const ranges = Array.from({ length: endIndex - firstIndex }, (_, i) =>
    sliceRange(firstIndex + i, count, units),
  );
  const buffer = new Uint8Array(
    ranges.reduce((bytes, { first, end }) => bytes + coding.payloadBytes(end - first), 0),
  );
  let offset = 0;
  return ranges.map(({ first, end }, i) => {
    const payload = buffer.subarray(offset, offset + coding.payloadBytes(end - first));
    offset += payload.length;
    coding.encode(tensor, first, end, payload);
    return { index: firstIndex + i, count, payload };
  });
}

/** Encodes again what a slice covers, in the fewest slices of equal counts that fit. */
function splitSlice(
  coding: ElementCoding,
  tensor: Tensor,
  units: number,
  { index, count }: SlicePosition,
  maxPayloadBytes: number,
): EncodedSlice[] {
  const { first, end } = sliceRange(index, count, units);
  const most = elementsThatFit(coding, units, maxPayloadBytes);
  // The quotient is enough: the range begins f after a whole element and is less than (end - first) + 1 - f wide
  // before rounding, so the end of part j rounds down to at most j * most elements from its beginning.
  const parts = Math.ceil((end - first) / most);
  if (count * parts > units) {
    throw new TensorError(
      "maxPayloadBytes",
      `${maxPayloadBytes} is too small to split slice ${index} of ${count} any further`,
    );
  }
  // Another tensor may have been measured since.
  coding.measure(tensor);
  return encodeSlices(coding, tensor, units, index * parts, (index + 1) * parts, count * parts);
}

/** Cuts tensors of one spec into slices of a coding whose units are single elements. */
export function createSliceEncoder(spec: TensorSpec, coding: ElementCoding): TensorEncoder {
  const units = elementCount(spec.shape);
  return {
    units,
    encode(tensor, maxPayloadBytes) {
      checkTensor(tensor, spec, units);
      const count = Math.ceil(units / elementsThatFit(coding, units, maxPayloadBytes));
      coding.measure(tensor);
      return {
        slices: encodeSlices(coding, tensor, units, 0, count, count),
        split: (slice, most) => splitSlice(coding, tensor, units, slice, most),
      };
    },
  };
}
