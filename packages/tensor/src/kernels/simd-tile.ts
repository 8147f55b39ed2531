import { bytesAt, planeAt, type SimdMemory, symbolsAt } from "./simd-memory.js";
import { blockElements } from "./tensor-kernels.js";
import type { Tiling } from "./tiling.js";

/** A part of a tensor whose elements lie together and that is whole rows of one or more channels. */
export interface TileBlock {
  /** Index in the tensor of the first element, and how many there are. */
  readonly first: number;
  readonly count: number;
  readonly channel: number;
  readonly channels: number;
  readonly row: number;
  readonly rows: number;
}

/** Whether a tensor can be cut into blocks: if not even one row fits, it cannot. */
export function hasBlocks({ layout, channels, width }: Tiling): boolean {
  return (layout === "chw" ? 1 : channels) * width <= blockElements;
}

/** The blocks of a tensor, of at most `blockElements` each. */
export function* tileBlocks({ layout, channels, height, width }: Tiling): Generator<TileBlock> {
  const channelsAtOnce =
    layout === "hwc" ? channels : Math.max(1, Math.floor(blockElements / (height * width)));
  const rowsAtOnce = Math.min(height, Math.floor(blockElements / (width * channelsAtOnce)));
  for (let channel = 0, first = 0; channel < channels; channel += channelsAtOnce) {
    const count = Math.min(channelsAtOnce, channels - channel);
    for (let row = 0; row < height; row += rowsAtOnce) {
      const rows = Math.min(rowsAtOnce, height - row);
      const elements = count * rows * width;
      yield { first, count: elements, channel, channels: count, row, rows };
      first += elements;
    }
  }
}

/** Bytes of a block at `symbolsAt` into the plane. */
export function tileBlock({ exports }: SimdMemory, tiling: Tiling, block: TileBlock): void {
  const { height, width, columns } = tiling;
  const { channel, channels, row, rows } = block;
  let from = symbolsAt;
  if (tiling.layout === "hwc") {
    exports.transpose(from, bytesAt, rows * width, channels);
    from = bytesAt;
  }
  exports.tile(from, planeAt, channel, channels, row, rows, height, width, columns);
}

/** Bytes of a block from the plane to `symbolsAt`. */
export function untileBlock({ exports }: SimdMemory, tiling: Tiling, block: TileBlock): void {
  const { height, width, columns } = tiling;
  const { channel, channels, row, rows } = block;
  const isInterleaved = tiling.layout === "hwc";
  const to = isInterleaved ? bytesAt : symbolsAt;
  exports.untile(planeAt, to, channel, channels, row, rows, height, width, columns);
  if (isInterleaved) exports.transpose(bytesAt, symbolsAt, channels, rows * width);
}
