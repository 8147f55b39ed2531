import { TensorError } from "../tensor.js";

/**
 * Channels as tiles of one plane of bytes: channel c is the tile in column c mod `columns` and row floor(c / columns).
 * Tiles that no channel fills stay 0.
 */
export interface Tiling {
  readonly layout: "chw" | "hwc";
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Tiles beside one another, 1 to the channels. */
  readonly columns: number;
}

/** Rows and columns of a tiling's plane. */
export function planeSize({ channels, height, width, columns }: Tiling): { height: number; width: number } {
  return { height: Math.ceil(channels / columns) * height, width: columns * width };
}

/** Elements of the tensor, which are the plane's samples without the tiles left over. */
export function tiledElements({ channels, height, width }: Tiling): number {
  return channels * height * width;
}

/**
 * Checks a tiling against the arrays that it is used on.
 * @throws TensorError naming `tiling`, `plane` or the other array
 */
export function checkTiling(
  tiling: Tiling,
  plane: Uint8Array,
  other: ArrayLike<number>,
  field: string,
): void {
  const { channels, height, width, columns } = tiling;
  for (const size of [channels, height, width, columns]) {
    if (!Number.isInteger(size) || size < 1) {
      throw new TensorError(
        "tiling",
        `sizes must be positive integers: ${[channels, height, width, columns]}`,
      );
    }
  }
  if (columns > channels) throw new TensorError("tiling", `${columns} columns for ${channels} channels`);
  const size = planeSize(tiling);
  if (plane.length !== size.height * size.width) {
    throw new TensorError("plane", `${plane.length} samples, the tiling has ${size.height} x ${size.width}`);
  }
  if (other.length !== tiledElements(tiling)) {
    throw new TensorError(field, `${other.length} elements, the tiling has ${tiledElements(tiling)}`);
  }
}

/** Index in the plane of a channel's first element; one row further is the plane's width further. */
export function tileOffset({ height, width, columns }: Tiling, channel: number): number {
  const row = Math.floor(channel / columns);
  return row * height * columns * width + (channel - row * columns) * width;
}
