import { TensorError } from "@sluice/tensor";
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

/** @throws TensorError where a slice is a single unit, or cannot be halved */
export function halve(
  slice: SlicePosition,
  units: number,
  maxPayloadBytes: number,
  bytes: number,
): SlicePosition[] {
  if (slice.count * 2 > units) {
    const needed = `slice ${slice.index} of ${slice.count} takes ${Math.ceil(bytes)} bytes and cannot be divided`;
    throw new TensorError("maxPayloadBytes", `${maxPayloadBytes}, ${needed}`);
  }
  return [part(slice, 0, 2), part(slice, 1, 2)];
}
