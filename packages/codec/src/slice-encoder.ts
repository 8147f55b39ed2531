import { sliceRange, type Tensor, TensorError, type TensorSpec, type UnitRange } from "@sluice/tensor";
import type { Chain } from "./chain.js";
import type { EncodedSlice, SlicePosition, TensorEncoder } from "./codec.js";
import { fillSlices } from "./slice-cover.js";
import type { TooLong } from "./stage.js";

function checkTensor(tensor: Tensor, spec: TensorSpec, elements: number): void {
  if (tensor.dtype !== spec.dtype) {
    throw new TensorError("tensor.dtype", `${tensor.dtype}, the stream's is ${spec.dtype}`);
  }
  if (tensor.data.length !== elements) {
    throw new TensorError(
      "tensor.data",
      `${tensor.data.length} elements, the stream's tensors have ${elements}`,
    );
  }
}

/** The most elements whose payload fits. @throws TensorError where even one does not. */
function elementsThatFit(
  payloadBytes: (elements: number) => number,
  elements: number,
  maxPayloadBytes: number,
): number {
  let fits = 0;
  let tooMany = elements + 1;
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (payloadBytes(middle) <= maxPayloadBytes) fits = middle;
    else tooMany = middle;
  }
  if (fits === 0) {
    throw new TensorError(
      "maxPayloadBytes",
      `${maxPayloadBytes}, one element takes ${payloadBytes(1)} bytes`,
    );
  }
  return fits;
}

/**
 * Slices of equal counts, for a chain whose units are single elements that all take the same: the fewest that fit.
 * @throws TensorError where the range cannot be cut so small
 */
function cutEvenly(
  chain: Chain,
  payloadBytes: (elements: number) => number,
  { index, count }: SlicePosition,
  maxPayloadBytes: number,
): EncodedSlice[] {
  const { units } = chain.order;
  const { first, end } = sliceRange(index, count, units);
  const most = elementsThatFit(payloadBytes, units, maxPayloadBytes);
  // The quotient is enough: the range begins f after a whole element and is less than (end - first) + 1 - f wide
  // before rounding, so the end of part j rounds down to at most j * most elements from its beginning.
  const parts = Math.ceil((end - first) / most);
  if (count * parts > units) {
    throw new TensorError(
      "maxPayloadBytes",
      `${maxPayloadBytes} is too small to split slice ${index} of ${count} any further`,
    );
  }
  return Array.from({ length: parts }, (_, j) => {
    const part = { index: index * parts + j, count: count * parts };
    const payload = chain.encode(sliceRange(part.index, part.count, units), maxPayloadBytes) as Uint8Array;
    return { ...part, payload };
  });
}

/** Slices of any counts, each as full as it gets. */
function cutGreedily(
  chain: Chain,
  range: UnitRange,
  expected: number,
  maxPayloadBytes: number,
): EncodedSlice[] {
  const { order, maxUnits } = chain;
  const fill = { ...{ range, units: order.units, maxPayloadBytes, maxUnits }, expected };
  const encode = (part: UnitRange): Uint8Array | TooLong => chain.encode(part, maxPayloadBytes);
  return fillSlices(fill, encode).map(({ index, count, payload }) => ({ index, count, payload }));
}

/** Cuts tensors of one spec into slices of a chain. */
export function createSliceEncoder(spec: TensorSpec, chain: Chain): TensorEncoder {
  const { order, fixedBytes } = chain;
  const elements = order.elementsBefore(order.units);
  const isEven = fixedBytes !== undefined && order.units === elements;
  /** Units that a slice of the last frame held on average. */
  let expected = order.units;
  let taken: Tensor | undefined;

  function cut(slice: SlicePosition, maxPayloadBytes: number): EncodedSlice[] {
    if (!(maxPayloadBytes >= 1))
      throw new TensorError("maxPayloadBytes", `must be positive, got ${maxPayloadBytes}`);
    if (isEven) return cutEvenly(chain, fixedBytes, slice, maxPayloadBytes);
    return cutGreedily(chain, sliceRange(slice.index, slice.count, order.units), expected, maxPayloadBytes);
  }

  return {
    units: order.units,
    encode(tensor, maxPayloadBytes) {
      checkTensor(tensor, spec, elements);
      chain.take(tensor);
      taken = tensor;
      const slices = cut({ index: 0, count: 1 }, maxPayloadBytes);
      expected = Math.ceil(order.units / slices.length);
      return {
        slices,
        split(slice, most) {
          // Another tensor may have been taken since.
          if (taken !== tensor) chain.take(tensor);
          taken = tensor;
          return cut(slice, most);
        },
      };
    },
  };
}
