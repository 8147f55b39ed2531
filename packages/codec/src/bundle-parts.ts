import { sliceRange, type UnitRange } from "@sluice/tensor";
import type { Chain } from "./chain.js";
import type { SlicePosition } from "./codec.js";

/** What a slice of a bundle holds of one of its tensors: units of that tensor. */
export interface PartRange extends UnitRange {
  readonly part: number;
}

/** Bytes of the length that stands before what a slice holds of a tensor, but for its last one (spec 6.14). */
export const partLengthBytes = 4;

/** The units of a bundle: those of its tensors, one behind the other. */
export interface BundleUnits {
  readonly units: number;
  /** What a slice holds of each tensor that it touches, in order. */
  rangesOf(slice: SlicePosition): PartRange[];
}

export function createBundleUnits(chains: readonly Chain[]): BundleUnits {
  const starts: number[] = [];
  let units = 0;
  for (const { order } of chains) {
    starts.push(units);
    units += order.units;
  }
  return {
    units,
    rangesOf({ index, count }) {
      const { first, end } = sliceRange(index, count, units);
      return chains.flatMap(({ order }, part) => {
        const start = starts[part]!;
        const from = Math.max(first, start) - start;
        const to = Math.min(end, start + order.units) - start;
        return from < to ? [{ part, first: from, end: to }] : [];
      });
    },
  };
}
