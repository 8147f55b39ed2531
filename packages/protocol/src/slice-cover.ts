/** The units of a tensor that have arrived, as sorted, disjoint, non-touching ranges. */
export interface SliceCover {
  /** Units covered so far. */
  readonly covered: number;
  /** Ranges that they form. */
  readonly ranges: number;
  /** Adds a range and says how many of its units are new. */
  add(first: number, end: number): number;
}

export function createSliceCover(): SliceCover {
  return new RangeCover();
}

/** A class, for there is one for every frame. */
class RangeCover implements SliceCover {
  covered = 0;
  // Starts and ends alternate. Slices mostly arrive in order, so the list stays a few numbers long.
  readonly #bounds: number[] = [];

  get ranges(): number {
    return this.#bounds.length / 2;
  }

  add(first: number, end: number): number {
    const bounds = this.#bounds;
    const from = firstRangeFrom(bounds, first);
    let to = from;
    let start = first;
    let stop = end;
    let overlap = 0;
    while (to < bounds.length && bounds[to]! <= end) {
      overlap += Math.min(bounds[to + 1]!, end) - Math.max(bounds[to]!, first);
      start = Math.min(start, bounds[to]!);
      stop = Math.max(stop, bounds[to + 1]!);
      to += 2;
    }
    if (from === bounds.length) bounds.push(start, stop);
    else if (to - from === 2) {
      // It touches one range, as slices in order do: without the lists that a splice makes.
      bounds[from] = start;
      bounds[from + 1] = stop;
    } else bounds.splice(from, to - from, start, stop);
    const added = end - first - overlap;
    this.covered += added;
    return added;
  }
}

/** Where in `bounds` the first range stands that ends at `unit` or behind it. */
function firstRangeFrom(bounds: readonly number[], unit: number): number {
  let low = 0;
  let high = bounds.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bounds[2 * middle + 1]! < unit) low = middle + 1;
    else high = middle;
  }
  return 2 * low;
}
