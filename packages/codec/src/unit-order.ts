import { type ChannelAxis, elementCount, type Tensor, type TensorSpec, type UnitRange } from "@sluice/tensor";
import { type ChannelGrid, channelGrid } from "./channel-grid.js";

/**
 * In which order the elements of a tensor stand in its slices, and how they form units. Stages see the elements in
 * this order, so that every slice is one run of them (spec 6.3).
 */
export interface UnitOrder {
  readonly units: number;
  /** Elements in front of a unit; of `units`: all. */
  elementsBefore(unit: number): number;
  /**
   * Calls `visit` for each run of a slice's elements that lie evenly in the tensor: elements from `from` to `to` in the
   * order of the units, the first of them at `place` in the tensor, the others `stride` apart. Absent where the order is
   * the tensor's own.
   */
  forEachRun?(extent: SliceExtent, visit: VisitRun): void;
}

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
  const grid = channelGrid(spec);
  const order = elementOrder(spec);
  if (grid.columnStride === 1) return order;
  return {
    ...order,
    forEachRun({ elements: { first, end } }, visit) {
      for (let from = first; from < end; ) {
        const column = from % grid.columns;
        const row = Math.floor(from / grid.columns);
        const to = Math.min(end, from + grid.columns - column);
        visit(from, to, rowPlace(grid, row) + column * grid.columnStride, grid.columnStride);
        from = to;
      }
    },
  };
}

/** Where a row begins in the tensor, rows of all channels counted on. */
function rowPlace(grid: ChannelGrid, row: number): number {
  return Math.floor(row / grid.rows) * grid.channelStride + (row % grid.rows) * grid.rowStride;
}

/** Where channels lie in the order of the units: as in the tensor, or one channel behind the other. */
export function orderedAxis(spec: TensorSpec, order: UnitOrder): ChannelAxis {
  const count = elementCount(spec.shape);
  if (spec.layout === "any") return { channels: 1, stride: count };
  const { channels, channelStride } = channelGrid(spec);
  return { channels, stride: order.forEachRun ? count / channels : channelStride };
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
  const source = tensor.data;
  const target = ordered.data;
  order.forEachRun?.(extent, (from, to, place, stride) => {
    for (let i = from, at = place; i < to; i++, at += stride) target[i] = source[at]!;
  });
}

/** Copies the elements of a slice back from the order of the units. */
export function fromUnitOrder(order: UnitOrder, extent: SliceExtent, ordered: Tensor, tensor: Tensor): void {
  const source = ordered.data;
  const target = tensor.data;
  order.forEachRun?.(extent, (from, to, place, stride) => {
    for (let i = from, at = place; i < to; i++, at += stride) target[at] = source[i]!;
  });
}

/** Clears the mask at the elements of a slice. @returns how many were set */
export function clearMissing(order: UnitOrder, extent: SliceExtent, missing: Uint8Array): number {
  let cleared = 0;
  const clear = (place: number, count: number, stride: number): void => {
    for (let i = 0, at = place; i < count; i++, at += stride) {
      cleared += missing[at]!;
      missing[at] = 0;
    }
  };
  const { first, end } = extent.elements;
  if (order.forEachRun)
    order.forEachRun(extent, (from, to, place, stride) => clear(place, to - from, stride));
  else clear(first, end - first, 1);
  return cleared;
}
