import { type Tiling, tensorKernels, type UnitRange } from "@sluice/tensor";
import type { BlockOrder } from "./block-order.js";
import { createScratch } from "./scratch.js";
import type { PlaneSize } from "./stage.js";
import type { SliceExtent } from "./unit-order.js";

/** What a plane may have at most (spec 6.6): a decoder of pictures takes some memory for each sample. */
const maxPlaneSamples = 1 << 20;
const maxPlaneSide = 1 << 15;
/** What image codecs transform at once. */
const minPlaneSide = 8;

type VisitRow = (from: number, count: number, place: number) => void;

/** The planes that slices of whole units become. */
export interface TileGrid {
  readonly maxUnits: number;
  size(extent: SliceExtent): PlaneSize;
  /** Puts the samples of a slice into its plane; what is left of the plane is filled. */
  arrange(samples: Uint8Array, extent: SliceExtent, fill: number, plane: Uint8Array): void;
  /** Takes the samples of a slice out of its plane. */
  collect(plane: Uint8Array, extent: SliceExtent, samples: Uint8Array): void;
}

/** How slices of such units are laid out (spec 6.6). */
export function createTileGrid(order: BlockOrder, shape: "square" | "wide"): TileGrid {
  const { blockRows, blockColumns, blocksDown, blocksAcross, units } = order;
  const { rows } = order.grid;
  /** All blocks have the same height. */
  const isRegular = rows % blockRows === 0;
  const padded = createScratch((length) => new Uint8Array(length));

  /** Units in a column of the plane: whole columns of a channel's blocks, where there are enough. */
  function unitsDown(count: number): number {
    const wanted = shape === "wide" ? blocksDown : Math.floor(Math.sqrt((count * blockColumns) / blockRows));
    const down = Math.max(1, Math.min(count, wanted));
    return down < blocksDown ? down : down - (down % blocksDown);
  }

  function sizeOf({ first, end }: UnitRange): PlaneSize {
    const down = unitsDown(end - first);
    const columns = end - first === 1 ? order.blockSize(first).columns : blockColumns;
    const width = Math.max(minPlaneSide, Math.ceil((end - first) / down) * columns);
    if (isRegular) return { width, height: Math.max(minPlaneSide, down * blockRows) };
    let height = minPlaneSide;
    for (let from = first; from < end; from += down) {
      let rows = 0;
      for (let unit = from; unit < Math.min(end, from + down); unit++) rows += order.blockSize(unit).rows;
      height = Math.max(height, rows);
    }
    return { width, height };
  }

  /** So many whole blocks fit into a plane, wherever they begin. */
  function fits(count: number): boolean {
    const down = unitsDown(count);
    const width = Math.ceil(count / down) * blockColumns;
    const height = down * blockRows;
    return width <= maxPlaneSide && height <= maxPlaneSide && width * height <= maxPlaneSamples;
  }

  let maxUnits = Math.min(units, Math.floor(maxPlaneSamples / (blockRows * blockColumns)));
  while (!fits(maxUnits)) maxUnits = Math.floor((9 * maxUnits) / 10);

  /** Calls `visit` for each row of each unit: samples of the slice from `from`, and where they stand in the plane. */
  function forEachRow({ units: { first, end } }: SliceExtent, visit: VisitRow): void {
    const { width } = sizeOf({ first, end });
    const down = unitsDown(end - first);
    let from = 0;
    let place = 0;
    for (let unit = first; unit < end; unit++) {
      const at = unit - first;
      if (at % down === 0) place = (at / down) * blockColumns;
      const { rows, columns } = order.blockSize(unit);
      for (let row = 0; row < rows; row++) {
        visit(from, columns, place);
        from += columns;
        place += width;
      }
    }
  }

  /** The columns of a slice's plane as tiles side by side, where they are alike but for the end of the last one. */
  function tilingOf({ units: { first, end } }: SliceExtent): Tiling | undefined {
    const down = unitsDown(end - first);
    if (blocksAcross > 1 || (down % blocksDown > 0 && !isRegular)) return undefined;
    const columns = Math.ceil((end - first) / down);
    const { width, height } = sizeOf({ first, end });
    const isAligned = isRegular || first % blocksDown === 0;
    if (!isAligned || width !== columns * blockColumns || height === minPlaneSide) return undefined;
    return { layout: "chw", channels: columns, height, width: blockColumns, columns };
  }

  return {
    maxUnits,
    size: ({ units: range }) => sizeOf(range),
    arrange(samples, extent, fill, plane) {
      const tiling = tilingOf(extent);
      if (tiling) {
        const tiles = padded(plane.length);
        tiles.set(samples);
        tiles.fill(fill, samples.length);
        tensorKernels().tile(tiles, tiling, plane);
        return;
      }
      plane.fill(fill);
      forEachRow(extent, (from, count, place) => {
        for (let i = 0; i < count; i++) plane[place + i] = samples[from + i]!;
      });
    },
    collect(plane, extent, samples) {
      const tiling = tilingOf(extent);
      if (tiling) {
        const tiles = padded(plane.length);
        tensorKernels().untile(plane, tiling, tiles);
        samples.set(tiles.subarray(0, samples.length));
        return;
      }
      forEachRow(extent, (from, count, place) => {
        for (let i = 0; i < count; i++) samples[from + i] = plane[place + i]!;
      });
    },
  };
}
