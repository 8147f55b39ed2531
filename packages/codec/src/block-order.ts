import type { TensorSpec } from "@sluice/tensor";
import { type ChannelGrid, channelGrid } from "./channel-grid.js";
import type { SliceExtent, UnitOrder, VisitRun } from "./unit-order.js";

/** Channels cut into blocks that each fit a datagram; a small channel is one block (spec 6.6). */
export interface BlockOrder extends UnitOrder {
  readonly grid: ChannelGrid;
  /** Size of a block; the last ones of a channel may be smaller. */
  readonly blockRows: number;
  readonly blockColumns: number;
  /** Blocks of a channel that stand below each other, and such columns of blocks. */
  readonly blocksDown: number;
  readonly blocksAcross: number;
  /** Rows and columns of a unit. */
  blockSize(unit: number): { readonly rows: number; readonly columns: number };
}

/** A channel of at most so many samples is one block, and no block has more. */
const blockSamples = 1024;
/** Of what image codecs transform at once; channels are cut at its multiples. */
const codedSize = 8;
const maxBlockColumns = blockSamples / codedSize;

/** Units are blocks: by channels, by columns of blocks, from the top down. Within a block: by rows. */
export function blockOrder(spec: Pick<TensorSpec, "shape" | "layout">): BlockOrder {
  const grid = channelGrid(spec);
  const { channels, rows, columns } = grid;
  const parts = Math.ceil(columns / maxBlockColumns);
  const blockColumns = parts === 1 ? columns : codedSize * Math.ceil(columns / parts / codedSize);
  const strip = codedSize * Math.floor(blockSamples / (codedSize * blockColumns));
  const blockRows = rows * blockColumns <= blockSamples ? rows : strip;
  const blocksDown = Math.ceil(rows / blockRows);
  const blocksAcross = Math.ceil(columns / blockColumns);
  const perChannel = blocksDown * blocksAcross;

  function blockPosition(unit: number) {
    const channel = Math.floor(unit / perChannel);
    const block = unit - channel * perChannel;
    const across = Math.floor(block / blocksDown);
    return { channel, row: (block - across * blocksDown) * blockRows, column: across * blockColumns };
  }

  function blockSize(unit: number) {
    const { row, column } = blockPosition(unit);
    return { rows: Math.min(blockRows, rows - row), columns: Math.min(blockColumns, columns - column) };
  }

  const order: BlockOrder = {
    ...{ grid, blockRows, blockColumns, blocksDown, blocksAcross, blockSize },
    units: channels * perChannel,
    elementsBefore(unit) {
      const { channel, row, column } = blockPosition(unit);
      const width = Math.min(blockColumns, columns - column);
      return channel * rows * columns + column * rows + row * width;
    },
  };
  if (blocksAcross === 1) {
    if (grid.columnStride === 1) return order;
    return { ...order, reordered: { kind: "transpose", channels, pixels: rows * columns } };
  }
  return { ...order, reordered: { kind: "runs", forEachRun } };

  function forEachRun({ units, elements }: SliceExtent, visit: VisitRun): void {
    let from = elements.first;
    for (let unit = units.first; unit < units.end; unit++) {
      const { channel, row, column } = blockPosition(unit);
      const size = blockSize(unit);
      const corner = channel * grid.channelStride + row * grid.rowStride + column * grid.columnStride;
      for (let y = 0; y < size.rows; y++) {
        visit(from, from + size.columns, corner + y * grid.rowStride, grid.columnStride);
        from += size.columns;
      }
    }
  }
}
