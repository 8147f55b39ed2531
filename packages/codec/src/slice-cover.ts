import { sliceRange, TensorError, type UnitRange } from "@sluice/tensor";
import type { SlicePosition } from "./codec.js";

/** A slice and the units that it covers. */
export interface PlacedSlice extends SlicePosition, UnitRange {}

/**
 * The slice that begins at unit `first`, ends at `most` or as near before it as a slice can (spec 5.2), and has the
 * smallest count of those. There is always one, as a single unit is a slice of `units`; but it may be much shorter than
 * what was asked for, for a slice of n units begins at about units / n places only.
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
