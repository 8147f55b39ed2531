import { sliceRange, TensorError, type UnitRange } from "@sluice/tensor";
import type { SlicePosition } from "./codec.js";
import type { TooLong } from "./stage.js";

/** A slice and the units that it covers. */
export interface PlacedSlice extends SlicePosition, UnitRange {}

/**
 * The slice that begins at unit `first`, ends at `most` or as near before it as a slice can (spec 5.2), and has the
 * smallest count of those. Slices of one frame may have different counts, so an encoder whose units differ in size
 * fills each slice by itself: ask for the range that fits, encode what it gives, go on behind it. There is always one,
 * as a single unit is a slice of `units`.
 *
 * Slice i of c begins at `first` for at most one i = ceil(first c / units), and covers floor or ceil(units / c) units.
 * @throws TensorError unless 0 <= first < most <= units, all integers
 */
export function longestSlice(first: number, most: number, units: number): PlacedSlice {
  const sane = [first, most, units].every(Number.isInteger) && 0 <= first && first < most && most <= units;
  if (!sane) throw new TensorError("slice", `no units from ${first} to ${most} of ${units}`);
  const limit = most - first;
  let best = { index: first, count: units, first, end: first + 1 };
  // Fewer slices than this are all longer than the limit; more than `units / best` are none longer than the best.
  for (let count = Math.ceil(units / (limit + 1)); Math.ceil(units / count) > best.end - first; count++) {
    const index = Math.ceil((first * count) / units);
    if (index >= count || Math.floor((index * units) / count) !== first) continue;
    const { end } = sliceRange(index, count, units);
    if (end <= most && end > best.end) best = { index, count, first, end };
    if (best.end === most) break;
  }
  return best;
}

/** A slice, the units that it covers and what they became. */
export interface FilledSlice extends PlacedSlice {
  readonly payload: Uint8Array;
}

/** What to fill, and how full. */
export interface SliceFill {
  /** Units to be covered: those of a tensor, or of a slice of it that is split. */
  readonly range: UnitRange;
  /** Units of the whole tensor. */
  readonly units: number;
  readonly maxPayloadBytes: number;
  /** The most units of a slice, whatever their size. Default: all. */
  readonly maxUnits?: number;
  /** Units that the first attempt takes; each slice begins with what fitted into the one before it. */
  readonly expected: number;
}

/** What the units of a range become. */
export type EncodeRange = (range: UnitRange) => Uint8Array | TooLong;

/**
 * Covers units by slices one after the other, each as long as its payload lets it be: to an average unit, or 1/64 where
 * units are many. That takes two to four calls of `encode` a slice.
 * @param encode what the units of a range become; at best smaller for fewer units
 * @throws TensorError where a single unit takes more than `maxPayloadBytes`
 */
export function fillSlices(fill: SliceFill, encode: EncodeRange): FilledSlice[] {
  const slices: FilledSlice[] = [];
  let guess = fill.expected;
  for (let at = fill.range.first; at < fill.range.end; at = slices.at(-1)!.end) {
    const slice = longestThatFits(at, fill, guess, encode);
    guess = slice.end - at;
    slices.push(slice);
  }
  return slices;
}

/** Interpolation is given up for bisection where it has not come to an end by then: units differ very much. */
const interpolations = 4;

function longestThatFits(
  at: number,
  { range, units, maxPayloadBytes, maxUnits = units }: SliceFill,
  expected: number,
  encode: EncodeRange,
): FilledSlice {
  let best: FilledSlice | undefined;
  // The longest slice that fits ends within [fits, tooFar - 1].
  let fits = at;
  let tooFar = Math.min(range.end, at + maxUnits) + 1;
  let guess = expected;
  for (let tries = 1; tooFar - fits > 1; tries++) {
    const most = Math.min(tooFar - 1, Math.max(fits + 1, at + Math.floor(guess + 1e-6)));
    const slice = longestSlice(at, most, units);
    if (best && slice.end <= best.end) {
      fits = most;
      continue;
    }
    const payload = encode(slice);
    const covered = slice.end - at;
    const fitting = "fits" in payload ? payload.fits : maxPayloadBytes / payload.length;
    guess = covered * fitting;
    if (!("fits" in payload) && payload.length <= maxPayloadBytes) {
      best = { ...slice, payload };
      fits = most;
      if (guess < covered + Math.max(1, covered / 64)) break;
    } else tooFar = slice.end;
    if (tries >= interpolations) guess = (fits + tooFar) / 2 - at;
  }
  if (best) return best;
  throw new TensorError("maxPayloadBytes", `${maxPayloadBytes}, unit ${at} of ${units} takes more by itself`);
}
