import { elementCount, type TensorSpec } from "@sluice/tensor";

/** A tensor seen as channels of rows x columns. */
export interface ChannelGrid {
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
  /** Elements from a channel, a row, a column to the next one in the tensor. */
  readonly channelStride: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

/**
 * How a shape is seen as channels. Without a layout the last two axes are rows and columns and all others together the
 * channels; a tensor of one axis is one row, a scalar one element (spec 6.3).
 */
export function channelGrid({ shape, layout }: Pick<TensorSpec, "shape" | "layout">): ChannelGrid {
  if (layout === "hwc") {
    const [rows = 1, columns = 1, channels = 1] = shape;
    return {
      ...{ channels, rows, columns },
      ...{ channelStride: 1, rowStride: columns * channels, columnStride: channels },
    };
  }
  const columns = shape.at(-1) ?? 1;
  const rows = shape.at(-2) ?? 1;
  return {
    ...{ channels: elementCount(shape) / (rows * columns), rows, columns },
    ...{ channelStride: rows * columns, rowStride: columns, columnStride: 1 },
  };
}
