import { type ChannelAxis, elementCount, type Tensor, type TensorSpec, type UnitRange } from "@sluice/tensor";
import { channelGrid } from "./channel-grid.js";

/**
 * In which order the elements of a tensor stand in its slices, and how they form units. Stages see the elements in
 * this order, so that every slice is one run of them (spec 6.3).
 */
export interface UnitOrder {
  readonly units: number;
  /** Elements in front of a unit; of `units`: all. */
  elementsBefore(unit: number): number;
  /** Where the order is not the tensor's own: where the elements stand in the tensor. */
  readonly reordered?: Reordering;
}

/**
 * - `transpose`: the tensor has the `channels` of each of the `pixels` together, the order has the pixels of each channel.
 * - `runs`: calls `visit` for each run of a slice's elements that lie evenly in the tensor: elements from `from` to `to` in
 *   the order of the units, the first of them at `place` in the tensor, the others `stride` apart.
 * - `table`: where each element stands, in no such pattern.
 */
export type Reordering =
  | { readonly kind: "transpose"; readonly channels: number; readonly pixels: number }
  | { readonly kind: "table"; readonly places: Uint32Array }
  | { readonly kind: "runs"; forEachRun(extent: SliceExtent, visit: VisitRun): void };

/** What a slice holds: units, and elements in their order. */
export interface SliceExtent {
  readonly units: UnitRange;
  readonly elements: UnitRange;
}

export type VisitRun = (from: number, to: number, place: number, stride: number) => void;

/** Single elements in the tensor's own order. */
export function elementOrder(spec: TensorSpec): UnitOrder {
  return { units: elementCount(spec.shape), elementsBefore: (unit) => unit };
}

/** Single elements, one channel behind the other, each by rows. */
export function channelElementOrder(spec: TensorSpec): UnitOrder {
  const { channels, rows, columns, columnStride } = channelGrid(spec);
  if (columnStride === 1) return elementOrder(spec);
  return { ...elementOrder(spec), reordered: { kind: "transpose", channels, pixels: rows * columns } };
}

/** Where channels lie in the order of the units: as in the tensor, or one channel behind the other. */
export function orderedAxis(spec: TensorSpec, order: UnitOrder): ChannelAxis {
  const count = elementCount(spec.shape);
  if (spec.layout === "any") return { channels: 1, stride: count };
  const { channels, channelStride } = channelGrid(spec);
  return { channels, stride: order.reordered ? count / channels : channelStride };
}

/** What a slice of whole units holds. */
export function extentOf(order: UnitOrder, first: number, end: number): SliceExtent {
  return {
    units: { first, end },
    elements: { first: order.elementsBefore(first), end: order.elementsBefore(end) },
  };
}

/** Copies the elements of a slice from the tensor into a copy of it that is in the order of the units. */
export function toUnitOrder(order: UnitOrder, extent: SliceExtent, tensor: Tensor, ordered: Tensor): void {
  const [source, target] = [tensor.data, ordered.data];
  if (order.reordered?.kind === "table") {
    gather(source, order.reordered.places, extent.elements, target);
    return;
  }
  visitPlaces(order, extent, (from, to, place, stride) => {
    for (let i = from, at = place; i < to; i++, at += stride) target[i] = source[at]!;
  });
}

/** Four at once: a third less time. */
function gather(
  source: Tensor["data"],
  places: Uint32Array,
  { first, end }: UnitRange,
  target: Tensor["data"],
): void {
  let i = first;
  for (const last = end - 4; i <= last; i += 4) {
    const a = source[places[i]!]!;
    const b = source[places[i + 1]!]!;
    const c = source[places[i + 2]!]!;
    const d = source[places[i + 3]!]!;
    target[i] = a;
    target[i + 1] = b;
    target[i + 2] = c;
    target[i + 3] = d;
  }
  for (; i < end; i++) target[i] = source[places[i]!]!;
}

/** Copies the elements of a slice back from the order of the units. */
export function fromUnitOrder(order: UnitOrder, extent: SliceExtent, ordered: Tensor, tensor: Tensor): void {
  const [source, target] = [ordered.data, tensor.data];
  if (order.reordered?.kind === "table") {
    const { places } = order.reordered;
    const { first, end } = extent.elements;
    for (let i = first; i < end; i++) target[places[i]!] = source[i]!;
    return;
  }
  visitPlaces(order, extent, (from, to, place, stride) => {
    for (let i = from, at = place; i < to; i++, at += stride) target[at] = source[i]!;
  });
}

/** Where the elements stand in the tensor, in the order of the units. */
export function placesOf(order: UnitOrder, { shape }: TensorSpec): Uint32Array {
  const places = new Uint32Array(elementCount(shape));
  visitPlaces(order, extentOf(order, 0, order.units), (from, to, place, stride) => {
    for (let i = from, at = place; i < to; i++, at += stride) places[i] = at;
  });
  return places;
}

/** Sets the mask at the elements of a slice. */
export function markMissing(order: UnitOrder, extent: SliceExtent, missing: Uint8Array): void {
  const { first, end } = extent.elements;
  if (!order.reordered) missing.fill(1, first, end);
  else if (order.reordered.kind === "table") {
    const { places } = order.reordered;
    for (let i = first; i < end; i++) missing[places[i]!] = 1;
  } else {
    visitPlaces(order, extent, (from, to, place, stride) => {
      for (let i = from, at = place; i < to; i++, at += stride) missing[at] = 1;
    });
  }
}

/** Clears the mask at the elements of a slice. @returns how many were set */
export function clearMissing(order: UnitOrder, extent: SliceExtent, missing: Uint8Array): number {
  const { first, end } = extent.elements;
  let cleared = 0;
  if (!order.reordered) {
    for (let i = first; i < end; i++) cleared += missing[i]!;
    missing.fill(0, first, end);
    return cleared;
  }
  if (order.reordered.kind === "table") {
    const { places } = order.reordered;
    for (let i = first; i < end; i++) {
      cleared += missing[places[i]!]!;
      missing[places[i]!] = 0;
    }
    return cleared;
  }
  visitPlaces(order, extent, (from, to, place, stride) => {
    for (let i = from, at = place; i < to; i++, at += stride) {
      cleared += missing[at]!;
      missing[at] = 0;
    }
  });
  return cleared;
}

/** Pixels of which all channels are visited before the next ones: what they take fits the nearest cache. */
const pixelsAtOnce = 32;

/** Visits all elements of a slice in runs. */
function visitPlaces({ reordered }: UnitOrder, extent: SliceExtent, visit: VisitRun): void {
  const { first, end } = extent.elements;
  if (!reordered) visit(first, end, first, 1);
  else if (reordered.kind === "runs") reordered.forEachRun(extent, visit);
  else if (reordered.kind === "table")
    for (let i = first; i < end; i++) visit(i, i + 1, reordered.places[i]!, 1);
  else {
    const { channels, pixels } = reordered;
    for (let pixel = 0; pixel < pixels; pixel += pixelsAtOnce) {
      for (let channel = Math.floor(first / pixels); channel * pixels < end; channel++) {
        const from = Math.max(first, channel * pixels + pixel);
        const to = Math.min(end, channel * pixels + Math.min(pixels, pixel + pixelsAtOnce));
        if (from < to) visit(from, to, (from - channel * pixels) * channels + channel, channels);
      }
    }
  }
}
