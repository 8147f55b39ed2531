import { elementCount, type TensorSpec } from "@sluice/tensor";

/** How a tensor is divided into blocks: each of all channels, at most `blockHeight` x `blockWidth` positions. */
export interface BlockGrid {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Elements from one channel, row or column to the next. */
  readonly channelStride: number;
  readonly rowStride: number;
  readonly columnStride: number;
  readonly blockHeight: number;
  readonly blockWidth: number;
  /** Blocks in a row of them, and in the tensor; they are counted row by row. The last ones of each may be cut off. */
  readonly columns: number;
  readonly blocks: number;
}

/** Without a channel axis, the last axis is the columns and all others together are the rows of one channel. */
export function createBlockGrid(
  spec: TensorSpec,
  [blockHeight, blockWidth]: readonly [number, number],
): BlockGrid {
  const { shape, layout } = spec;
  const elements = elementCount(shape);
  const channels = layout === "chw" ? shape[0]! : layout === "hwc" ? shape[2]! : 1;
  const width = layout === "hwc" ? shape[1]! : (shape.at(-1) ?? 1);
  const height = elements / channels / width;
  const isLast = layout === "hwc";
  const columns = Math.ceil(width / blockWidth);
  return {
    ...{ channels, height, width },
    channelStride: isLast ? 1 : height * width,
    rowStride: isLast ? width * channels : width,
    columnStride: isLast ? channels : 1,
    ...{ blockHeight, blockWidth, columns },
    blocks: columns * Math.ceil(height / blockHeight),
  };
}

/** The positions of a block that lie within the tensor. */
export interface BlockArea {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

export function blockArea(grid: BlockGrid, block: number): BlockArea {
  const top = Math.floor(block / grid.columns) * grid.blockHeight;
  const left = (block % grid.columns) * grid.blockWidth;
  const height = Math.min(grid.blockHeight, grid.height - top);
  const width = Math.min(grid.blockWidth, grid.width - left);
  return { top, left, height, width };
}
