import { sliceRange, type Tensor, TensorError, type TensorSpec, type UnitRange } from "@sluice/tensor";
import type { Chain } from "./chain.js";
import { checkTensor } from "./check-tensor.js";
import type { EncodedSlice, SlicePosition, TensorEncoder } from "./codec.js";
import { rememberFit } from "./payload-fit.js";
import { chooseSliceCount, type SliceNeed } from "./slice-count.js";
import type { TooLong } from "./stage.js";

/**
 * Slices of equal counts, for a chain whose units are single elements that all take the same: the fewest that fit.
 * @throws TensorError where the range cannot be cut so small
 */
function cutEvenly(
  chain: Chain,
  /** The most elements whose payload fits. */
  most: number,
  { index, count }: SlicePosition,
  maxPayloadBytes: number,
  mayBorrow = false,
): EncodedSlice[] {
  const { units } = chain.order;
  const { first, end } = sliceRange(index, count, units);
  // The quotient is enough: the range begins f after a whole element and is less than (end - first) + 1 - f wide
  // before rounding, so the end of part j rounds down to at most j * most elements from its beginning.
  const parts = Math.ceil((end - first) / most);
  if (count * parts > units) {
    throw new TensorError(
      "maxPayloadBytes",
      `${maxPayloadBytes} is too small to split slice ${index} of ${count} any further`,
    );
  }
  const ranges: UnitRange[] = [];
  for (let i = index * parts; i < (index + 1) * parts; i++) ranges.push(sliceRange(i, count * parts, units));
  // One piece of memory for all payloads, as each piece costs as much as what is put into it.
  const lengths = ranges.map((range) => chain.fixedBytes!(range.end - range.first));
  const borrows = chain.lends(mayBorrow);
  const bytes = new Uint8Array(borrows ? 0 : lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  return ranges.map((range, part) => {
    const length = lengths[part]!;
    const into = borrows ? undefined : bytes.subarray(at, at + length);
    at += length;
    const payload = chain.encode(range, maxPayloadBytes, mayBorrow, into) as Uint8Array;
    return { index: index * parts + part, count: count * parts, payload };
  });
}

/** Slices of a chain of variable rate, and what each of the first cut took. */
interface Cut {
  readonly slices: EncodedSlice[];
  readonly needs: SliceNeed[];
}

/**
 * Cuts a slice into parts of equal counts, of which those from `first` to `end`, and those again that are too long.
 * @throws TensorError where a single unit is too long
 */
function cutInto(
  chain: Chain,
  { index, count }: SlicePosition,
  parts: number,
  maxPayloadBytes: number,
  { first, end } = { first: 0, end: parts },
): Cut {
  const { units } = chain.order;
  const slices: EncodedSlice[] = [];
  const needs: SliceNeed[] = [];
  for (let j = first; j < end; j++) {
    const part = { index: index * parts + j, count: count * parts };
    const range = sliceRange(part.index, part.count, units);
    const payload = chain.encode(range, maxPayloadBytes);
    const need = needOf(payload, maxPayloadBytes);
    needs.push(need);
    if (!("fits" in payload) && need <= 1) {
      slices.push({ ...part, payload });
      continue;
    }
    if (range.end - range.first === 1) {
      throw new TensorError(
        "maxPayloadBytes",
        `${maxPayloadBytes}, unit ${range.first} of ${units} takes more`,
      );
    }
    // Two parts and not more: what is encoded again is less, and next time another count is tried.
    const smaller =
      2 * part.count <= units
        ? cutInto(chain, part, 2, maxPayloadBytes)
        : cutInto(chain, { index: 0, count: 1 }, units, maxPayloadBytes, range);
    slices.push(...smaller.slices);
  }
  return { slices, needs };
}

/** How often the first frame of a stream is cut to find a good number of slices. */
const firstAttempts = 3;

/**
 * Cuts whole frames of a chain of variable rate. Frames are like the ones before them: so each shows how many slices the
 * next is cut into, and is encoded once, but for slices that turn out too long.
 */
function createFrameCutter(chain: Chain): (maxPayloadBytes: number) => EncodedSlice[] {
  const { units } = chain.order;
  const least = Math.ceil(units / chain.maxUnits);
  let count = 0;
  let sizedFor = 0;

  function cutOnce(maxPayloadBytes: number): { slices: EncodedSlice[]; isSettled: boolean } {
    const { slices, needs } = cutInto(chain, { index: 0, count: 1 }, count, maxPayloadBytes);
    const next = chooseSliceCount(needs, least, units);
    const isSettled = next === count;
    count = next;
    return { slices, isSettled };
  }

  return (maxPayloadBytes) => {
    if (sizedFor === maxPayloadBytes) return cutOnce(maxPayloadBytes).slices;
    sizedFor = maxPayloadBytes;
    const need = needOf(chain.encode(sliceRange(0, least, units), maxPayloadBytes), maxPayloadBytes);
    count = chooseSliceCount(new Array<SliceNeed>(least).fill(need), least, units);
    let best = cutOnce(maxPayloadBytes);
    for (let attempt = 1; attempt < firstAttempts && !best.isSettled; attempt++) {
      const next = cutOnce(maxPayloadBytes);
      if (next.slices.length >= best.slices.length) break;
      best = next;
    }
    return best.slices;
  };
}

function needOf(payload: Uint8Array | TooLong, maxPayloadBytes: number): SliceNeed {
  return "fits" in payload ? 1 / Math.max(payload.fits, 1e-3) : payload.length / maxPayloadBytes;
}

const whole: SlicePosition = { index: 0, count: 1 };

/** Cuts tensors of one spec into slices of a chain. */
export function createSliceEncoder(spec: TensorSpec, chain: Chain): TensorEncoder {
  const { order, fixedBytes, history } = chain;
  const elements = order.elementsBefore(order.units);
  const mostElements = fixedBytes && order.units === elements ? rememberFit(fixedBytes, elements) : undefined;
  const cutFrame = createFrameCutter(chain);
  let taken: Tensor | undefined;

  function checkLimit(maxPayloadBytes: number): void {
    if (!(maxPayloadBytes >= 1)) {
      throw new TensorError("maxPayloadBytes", `must be positive, got ${maxPayloadBytes}`);
    }
  }

  return {
    units: order.units,
    encode(tensor, maxPayloadBytes, { frame, mayBorrow } = {}) {
      checkTensor(tensor, spec);
      checkLimit(maxPayloadBytes);
      chain.take(tensor, frame);
      taken = tensor;
      return {
        slices: mostElements
          ? cutEvenly(chain, mostElements(maxPayloadBytes), whole, maxPayloadBytes, mayBorrow)
          : cutFrame(maxPayloadBytes),
        split(slice, most) {
          checkLimit(most);
          // Another tensor may have been taken since.
          if (taken !== tensor) chain.take(tensor, frame);
          taken = tensor;
          return mostElements
            ? cutEvenly(chain, mostElements(most), slice, most)
            : cutInto(chain, slice, 1, most).slices;
        },
      };
    },
    ...(history ? { acknowledge: (frame: number) => history.acknowledge(frame) } : {}),
  };
}
