import { sliceRange } from "@sluice/tensor";
import { clearMissing, extentOf, markMissing, type SliceExtent, type UnitOrder } from "./unit-order.js";

/** Which elements of a tensor have not come. */
export interface MissingMask {
  /** Elements that are missing. No accessor: there is a mask for every tensor, and V8 makes dictionaries of objects with one. */
  count(): number;
  /** Slice `index` of `count`, whose extent this is, has come. */
  add(index: number, count: number, extent: SliceExtent): void;
  /** The same of elements that may be any. */
  addExtent(extent: SliceExtent): void;
  /** 1 where an element is missing, else 0; what is added later still changes it. */
  elements(): Uint8Array;
}

/**
 * @param whole the mask of a tensor that came whole, which all of a stream share
 *
 * Slices that are all of the same number never overlap: as long as they come so, each once, their lengths say how much
 * is missing, and the mask is made when it is asked for, from those that came or from those that did not, whichever are
 * fewer. Of a tensor that came whole that is nothing but zeros, which costs no time; marking and clearing every element of
 * each tensor took a third of the time in which one is decoded.
 */
export function createMissingMask(order: UnitOrder, whole: Uint8Array): MissingMask {
  const { length } = whole;
  let came: SliceSet | undefined;
  let sliceCount = 0;
  let missing = length;
  let mask: Uint8Array | undefined;

  function extentOfSlice(index: number): SliceExtent {
    const { first, end } = sliceRange(index, sliceCount, order.units);
    return extentOf(order, first, end);
  }

  function make(): Uint8Array {
    if (missing === 0) return whole;
    const made = new Uint8Array(length);
    if (came === undefined) return made.fill(1);
    if (came.size < sliceCount - came.size) {
      made.fill(1);
      for (let index = 0; index < sliceCount; index++)
        if (came.has(index)) clearMissing(order, extentOfSlice(index), made);
      return made;
    }
    for (let index = 0; index < sliceCount; index++)
      if (!came.has(index)) markMissing(order, extentOfSlice(index), made);
    return made;
  }

  return {
    count() {
      return missing;
    },
    add(index, count, extent) {
      // Of a tensor in one slice that is all there is to say, and most small ones are.
      if (missing === 0) return;
      if (count === 1 && mask === undefined) {
        missing = 0;
        return;
      }
      if (came === undefined) {
        came = createSliceSet(count);
        sliceCount = count;
      }
      if (mask === undefined && count === sliceCount && !came.has(index)) {
        came.add(index);
        missing -= extent.elements.end - extent.elements.first;
        return;
      }
      this.addExtent(extent);
    },
    addExtent(extent) {
      if (missing === 0) return;
      mask ??= make();
      missing -= clearMissing(order, extent, mask);
    },
    elements() {
      mask ??= make();
      return mask;
    },
  };
}

/** Indices of slices. */
interface SliceSet {
  readonly size: number;
  has(index: number): boolean;
  add(index: number): void;
}

/** The bits of a small integer in V8. */
const mostBits = 30;

/** A tensor has a handful of slices as a rule: a number holds as many, where a `Set` for each tensor grows table by table. */
function createSliceSet(count: number): SliceSet {
  return count <= mostBits ? new FewSlices() : new Set<number>();
}

class FewSlices implements SliceSet {
  size = 0;
  #bits = 0;

  has(index: number): boolean {
    return (this.#bits & (1 << index)) !== 0;
  }

  /** One that is not among them. */
  add(index: number): void {
    this.#bits |= 1 << index;
    this.size++;
  }
}
