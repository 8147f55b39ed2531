import { sliceRange, TensorError } from "@sluice/tensor";
import type { SlicePosition } from "../codec.js";

/** A part of a slice that is divided into so many. */
function part({ index, count }: SlicePosition, j: number, parts: number): SlicePosition {
  return { index: index * parts + j, count: count * parts };
}

/** Even cuts that are tried, beyond the fewest that could do. */
const moreCuts = 8;

/** Bytes that a slice takes, about. */
type BytesOf = (slice: SlicePosition) => number;

/**
 * Divides a slice into few that fit: into equal numbers of units, and those into halves that are then too long.
 * @throws TensorError where one unit does not fit
 */
export function planSlices(
  slice: SlicePosition,
  units: number,
  maxPayloadBytes: number,
  bytesOf: BytesOf,
): SlicePosition[] {
  const most = Math.floor(units / slice.count);
  const fewest = Math.min(most, Math.max(1, Math.floor(bytesOf(slice) / maxPayloadBytes)));
  let best: SlicePosition[] | undefined;
  for (let parts = fewest; parts <= Math.min(fewest + moreCuts, most, best?.length ?? most); parts++) {
    const slices = Array.from({ length: parts }, (_, j) =>
      halveUntilFit(part(slice, j, parts), units, maxPayloadBytes, bytesOf),
    ).flat();
    if (best === undefined || slices.length < best.length) best = slices;
  }
  return best!;
}

function halveUntilFit(
  slice: SlicePosition,
  units: number,
  maxPayloadBytes: number,
  bytesOf: BytesOf,
): SlicePosition[] {
  const bytes = bytesOf(slice);
  if (bytes <= maxPayloadBytes) return [slice];
  return halve(slice, units, maxPayloadBytes, bytes).flatMap((half) =>
    halveUntilFit(half, units, maxPayloadBytes, bytesOf),
  );
}

/**
 * Half a slice and the other half; the two units of one that has no halves (spec 5.2).
 * @throws TensorError where a slice is a single unit
 */
export function halve(
  slice: SlicePosition,
  units: number,
  maxPayloadBytes: number,
  bytes: number,
): SlicePosition[] {
  if (slice.count * 2 <= units) return [part(slice, 0, 2), part(slice, 1, 2)];
  const { first, end } = sliceRange(slice.index, slice.count, units);
  if (end - first === 1) {
    const needed = `unit ${first} of ${units} takes ${Math.ceil(bytes)} bytes by itself`;
    throw new TensorError("maxPayloadBytes", `${maxPayloadBytes}, ${needed}`);
  }
  return Array.from({ length: end - first }, (_, i) => ({ index: first + i, count: units }));
}
