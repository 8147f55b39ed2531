import {
  elementCount,
  readFloat32,
  sliceRange,
  type Tensor,
  TensorError,
  type TensorSpec,
  type UnitRange,
} from "@sluice/tensor";
import type { EncodedSlice, SlicePosition, TensorEncoder } from "../codec.js";
import { longestSlice } from "../slice-cover.js";
import { createIntervalList, maxMagnitude } from "./entropy-coder.js";
import { halve, planSlices } from "./plan-slices.js";
import { type SluicePlan, stepOf } from "./sluice-plan.js";

/** Every payload that is not empty begins with the quality. */
const headBytes = 1;
/** What a slice takes beyond the bits of its intervals: the head, the coder's state, rounding. */
const overheadBytes = headBytes + 4;

/**
 * Added to a coefficient's magnitude in steps before it is rounded down. Below 0.57 it becomes 0, and the decoder takes
 * each as 1/16 larger than it was written: together they leave sums of coefficients where they were, which networks care
 * for more than for the error of each.
 */
export const rounding = 0.43;

/** The coarsest quality that a budget may lead to is so far below the stream's. */
const budgetQualities = 32;

/** Cuts tensors of one spec into slices of the codec `sluice` (spec 6.11). */
export function createSluiceEncoder(spec: TensorSpec, plan: SluicePlan): TensorEncoder {
  const { grid, places, layerStart, units, transform } = plan;
  const elements = elementCount(spec.shape);
  const coarsest = Math.max(0, plan.quality - budgetQualities);
  let coded = 0;
  for (let quality = coarsest; quality <= plan.quality; quality++) {
    coded = Math.max(coded, plan.at(quality).count);
  }
  const scratch = spec.dtype === "float32" ? new Float32Array(0) : new Float32Array(elements);
  const values = new Float32Array(grid.blocks * coded);
  const quantized = new Int32Array(coded);
  const intervals = createIntervalList();
  /** Where the intervals of each unit begin, and the bits before it. */
  const unitStart = new Uint32Array(units + 1);
  const unitBits = new Float64Array(units + 1);
  let taken: Tensor | undefined;
  let listed = -1;

  function take(tensor: Tensor): void {
    const floats = readFloat32(tensor, 0, elements, scratch);
    for (let b = 0; b < grid.blocks; b++) {
      transform.analyse(floats, b);
      for (let j = 0; j < coded; j++) values[b * coded + j] = transform.coefficients[places[j]!]!;
    }
    taken = tensor;
    listed = -1;
  }

  /** Quantizes and makes the list of intervals of all units. */
  function list(quality: number): void {
    if (listed === quality) return;
    listed = quality;
    const { rows, count } = plan.at(quality);
    const perStep = 1 / stepOf(quality);
    intervals.clear();
    for (let unit = 0; unit < units; unit++) {
      const layer = Math.floor(unit / grid.blocks);
      const from = layerStart[layer]!;
      const length = Math.min(layerStart[layer + 1]!, count) - from;
      const at = (unit - layer * grid.blocks) * coded + from;
      for (let j = 0; j < length; j++) {
        const value = values[at + j]! * perStep;
        const magnitude = Math.min(maxMagnitude, (value < 0 ? -value : value) + rounding) | 0;
        quantized[j] = value < 0 ? -magnitude : magnitude;
      }
      unitStart[unit] = intervals.length();
      unitBits[unit] = intervals.bits();
      intervals.add(quantized, 0, length, rows, from);
    }
    unitStart[units] = intervals.length();
    unitBits[units] = intervals.bits();
  }

  function payloadOf({ first, end }: UnitRange, quality: number): Uint8Array {
    const payload = intervals.encode(unitStart[first]!, unitStart[end]!, headBytes);
    payload[0] = quality;
    return payload;
  }

  /** Slices that fit. @throws TensorError where one unit does not */
  function cut(slice: SlicePosition, quality: number, maxPayloadBytes: number): EncodedSlice[] {
    const bytesOf = (part: SlicePosition): number => {
      const { first, end } = sliceRange(part.index, part.count, units);
      return overheadBytes + (unitBits[end]! - unitBits[first]!) / 8;
    };
    return planSlices(slice, units, maxPayloadBytes, bytesOf).flatMap((planned) => {
      const payload = payloadOf(sliceRange(planned.index, planned.count, units), quality);
      if (payload.length <= maxPayloadBytes) return [{ ...planned, payload }];
      // What intervals take was a little more than thought.
      return halve(planned, units, maxPayloadBytes, payload.length).flatMap((half) =>
        cut(half, quality, maxPayloadBytes),
      );
    });
  }

  /** The finest quality whose slices should fit together, or the coarsest there is. */
  function qualityFor(budgetBytes: number, maxPayloadBytes: number): number {
    const needs = (quality: number): number => {
      list(quality);
      const bytes = unitBits[units]! / 8;
      return bytes + overheadBytes * Math.ceil(bytes / Math.max(1, maxPayloadBytes - overheadBytes));
    };
    let fits = coarsest;
    let tooFine = plan.quality;
    if (needs(plan.quality) <= budgetBytes) return plan.quality;
    while (tooFine - fits > 1) {
      const middle = (fits + tooFine) >>> 1;
      if (needs(middle) <= budgetBytes) fits = middle;
      else tooFine = middle;
    }
    return fits;
  }

  return {
    units,
    encode(tensor, maxPayloadBytes, { budgetBytes = Number.POSITIVE_INFINITY } = {}) {
      checkTensor(tensor, spec, elements);
      if (!(maxPayloadBytes >= 1)) {
        throw new TensorError("maxPayloadBytes", `must be positive, got ${maxPayloadBytes}`);
      }
      take(tensor);
      const quality = qualityFor(budgetBytes, maxPayloadBytes);
      list(quality);
      const all = cut({ index: 0, count: 1 }, quality, maxPayloadBytes);
      const slices = cutToBudget(all, units, budgetBytes);
      return {
        slices,
        split(slice, most) {
          if (taken !== tensor) take(tensor);
          list(quality);
          const range = sliceRange(slice.index, slice.count, units);
          const isEmpty = slices.some(
            (own) => own.payload.length === 0 && range.first >= sliceRange(own.index, own.count, units).first,
          );
          if (isEmpty) return [{ ...slice, payload: new Uint8Array(0) }];
          return cut({ index: slice.index, count: slice.count }, quality, most);
        },
      };
    },
  };
}

/** Leaves out what is beyond the budget: empty slices from there on. */
function cutToBudget(slices: EncodedSlice[], units: number, budgetBytes: number): EncodedSlice[] {
  let left = budgetBytes;
  const kept = slices.findIndex(({ payload }) => {
    left -= payload.length;
    return left < 0;
  });
  if (kept < 0) return slices;
  const cut = slices.slice(0, kept);
  const first = slices[kept]!;
  for (let at = sliceRange(first.index, first.count, units).first; at < units; ) {
    const { index, count, end } = longestSlice(at, units, units);
    cut.push({ index, count, payload: new Uint8Array(0) });
    at = end;
  }
  return cut;
}

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
