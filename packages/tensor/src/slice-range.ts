import { TensorError } from "./tensor.js";

/** Units from `first` to `end`, exclusive. */
export interface UnitRange {
  readonly first: number;
  readonly end: number;
}

/**
 * The units that slice `index` of `count` covers: floor(index * units / count) to
 * floor((index + 1) * units / count), exclusive (spec 5.2). Never empty.
 *
 * The products stay below 2^48 within the limits, so the division of doubles rounds to the true floor.
 * @throws TensorError unless 0 <= index < count <= units, all integers.
 */
export function sliceRange(index: number, count: number, units: number): UnitRange {
  if (!Number.isInteger(units) || units < 1 || units > 1 << 24) {
    throw new TensorError("units", `must be an integer from 1 to ${1 << 24}, got ${units}`);
  }
  if (!Number.isInteger(count) || count < 1 || count > units) {
    throw new TensorError("count", `must be an integer from 1 to the ${units} units, got ${count}`);
  }
  if (!Number.isInteger(index) || index < 0 || index >= count) {
    throw new TensorError("index", `must be an integer from 0 to ${count - 1}, got ${index}`);
  }
  return {
    first: Math.floor((index * units) / count),
    end: Math.floor(((index + 1) * units) / count),
  };
}
