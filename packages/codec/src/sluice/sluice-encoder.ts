import { sliceRange, type Tensor, TensorError, type TensorSpec } from "@sluice/tensor";
import { checkTensor } from "../check-tensor.js";
import type { EncodedSlice, SlicePosition, TensorEncoder } from "../codec.js";
import { longestSlice } from "../slice-cover.js";
import { halve, planSlices } from "./plan-slices.js";
import { createQuantizedTensor, type Reference } from "./quantized-tensor.js";
import { createReferenceFrame, type ReferenceFrame } from "./reference-frame.js";
import type { SluicePlan } from "./sluice-plan.js";

const empty = new Uint8Array(0);

/** What the estimate of a unit's payload may be short of. */
const slackBytes = 1;

/** Cuts tensors of one spec into slices of the codec `sluice` (spec 6.11). */
export function createSluiceEncoder(spec: TensorSpec, plan: SluicePlan): TensorEncoder {
  const { units } = plan;
  const quantized = createQuantizedTensor(spec, plan);
  let taken: Tensor | undefined;
  /** What the receiver will have of the last frames, and the newest of them that it is known to have. */
  const sent = new Map<number, ReferenceFrame>();
  let acknowledged: number | undefined;

  function referenceOf(frame: number | undefined): Reference | undefined {
    if (frame === undefined || acknowledged === undefined) return undefined;
    const known = sent.get(acknowledged);
    const distance = frame - acknowledged;
    return known && distance >= 1 && distance <= plan.memory ? { distance, frame: known } : undefined;
  }

  function remember(frame: number, slices: readonly EncodedSlice[]): void {
    const isKept = ({ payload }: EncodedSlice): boolean => payload.length > 0;
    const last = slices.findLast(isKept);
    const values = quantized.reconstruct(last ? rangeOf(last).end : 0);
    sent.set(frame, createReferenceFrame(plan, values));
    for (const number of sent.keys()) if (number <= frame - plan.memory) sent.delete(number);
  }

  const rangeOf = ({ index, count }: SlicePosition) => sliceRange(index, count, units);

  const energyOf = (slice: EncodedSlice): number =>
    slice.payload.length === 0 ? 0 : quantized.energyOf(rangeOf(slice));

  /** Says what slices are worth, `largest` being the energy of the one that is worth most. */
  function weigh(slices: readonly EncodedSlice[], largest: number): EncodedSlice[] {
    return slices.map((slice) => ({ ...slice, importance: largest > 0 ? energyOf(slice) / largest : 1 }));
  }

  /** Slices that fit. @throws TensorError where one unit does not */
  function cut(slice: SlicePosition, maxPayloadBytes: number): EncodedSlice[] {
    const bytesOf = (part: SlicePosition): number => quantized.bytesOf(rangeOf(part));
    return planSlices(slice, units, maxPayloadBytes, bytesOf).flatMap((planned) => {
      const payload = quantized.payloadOf(rangeOf(planned));
      if (payload.length <= maxPayloadBytes) return [{ ...planned, payload }];
      // What intervals take was a little more than thought.
      return halve(planned, units, maxPayloadBytes, payload.length).flatMap((half) =>
        cut(half, maxPayloadBytes),
      );
    });
  }

  /** The finest quality up to `most` for which something holds that is the easier the coarser; 0 where it never does. */
  function finest(most: number, holds: () => boolean): number {
    let fits = 0;
    let tooFine = most;
    while (tooFine - fits > 1) {
      const middle = (fits + tooFine) >>> 1;
      quantized.quantize(middle);
      if (holds()) fits = middle;
      else tooFine = middle;
    }
    return fits;
  }

  /** Quantizes so that every unit of the slice fits by itself. */
  function quantizeToFit(slice: SlicePosition, most: number, maxPayloadBytes: number): void {
    const { first, end } = rangeOf(slice);
    const fits = (): boolean => {
      for (let unit = first; unit < end; unit++) {
        if (quantized.bytesOf({ first: unit, end: unit + 1 }) + slackBytes > maxPayloadBytes) return false;
      }
      return true;
    };
    quantized.quantize(most);
    if (!fits()) quantized.quantize(finest(most, fits));
  }

  return {
    units,
    encode(tensor, maxPayloadBytes, { frame, budgetBytes = Number.POSITIVE_INFINITY } = {}) {
      checkTensor(tensor, spec);
      if (!(maxPayloadBytes >= 1)) {
        throw new TensorError("maxPayloadBytes", `must be positive, got ${maxPayloadBytes}`);
      }
      const whole = { index: 0, count: 1 };
      const reference = referenceOf(frame);
      quantized.take(tensor, reference);
      taken = tensor;
      let { quality } = plan;
      quantizeToFit(whole, quality, maxPayloadBytes);
      let slices = cut(whole, maxPayloadBytes);
      const sum = slices.reduce((bytes, { payload }) => bytes + payload.length, 0);
      if (sum > budgetBytes) {
        // Slices of a coarser quality are fewer, so their overhead is at most this one's.
        const overhead = sum - quantized.bytesOf({ first: 0, end: units });
        quality = finest(
          quality,
          () => quantized.bytesOf({ first: 0, end: units }) + overhead <= budgetBytes,
        );
        quantizeToFit(whole, quality, maxPayloadBytes);
        slices = cutToBudget(cut(whole, maxPayloadBytes), units, budgetBytes);
      }
      quality = quantized.quality();
      if (frame !== undefined && plan.memory > 0) remember(frame, slices);
      // One slice alone is all that there is.
      const largest = slices.length > 1 ? Math.max(...slices.map(energyOf)) : 0;
      if (slices.length > 1) slices = weigh(slices, largest);
      return {
        slices,
        split(slice, most) {
          const { first } = rangeOf(slice);
          if (slices.some((own) => own.payload.length === 0 && first >= rangeOf(own).first)) {
            return [{ index: slice.index, count: slice.count, payload: empty }];
          }
          // Another tensor may have been taken since.
          if (taken !== tensor) quantized.take(tensor, reference);
          taken = tensor;
          quantizeToFit(slice, quality, most);
          // The receiver then has something else than what was remembered.
          if (frame !== undefined && quantized.quality() !== quality) sent.delete(frame);
          const parts = cut(slice, most);
          return slices.length > 1 ? weigh(parts, largest) : parts;
        },
      };
    },
    acknowledge(frame) {
      if (sent.has(frame)) acknowledged = Math.max(acknowledged ?? frame, frame);
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
  const first = slices[kept]!;
  const cut = slices.slice(0, kept);
  for (let at = sliceRange(first.index, first.count, units).first; at < units; ) {
    const { index, count, end } = longestSlice(at, units, units);
    cut.push({ index, count, payload: empty });
    at = end;
  }
  return cut;
}
