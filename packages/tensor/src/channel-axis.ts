import { elementCount, type Layout } from "./tensor.js";

/** Where the channels of a tensor lie: element `i` is of channel `floor(i / stride) % channels`. */
export interface ChannelAxis {
  readonly channels: number;
  /** Elements from one channel to the next: rows x columns for `chw`, 1 for `hwc`. */
  readonly stride: number;
}

/** The channel axis of a shape. `any` names no channel axis: the whole tensor is one channel. */
export function channelAxis(shape: readonly number[], layout: Layout): ChannelAxis {
  switch (layout) {
    case "chw":
      return { channels: shape[0] ?? 1, stride: elementCount(shape.slice(1)) };
    case "hwc":
      return { channels: shape[2] ?? 1, stride: 1 };
    case "any":
      return { channels: 1, stride: elementCount(shape) };
  }
}

/** Channel of an element, which is counted in row-major order from 0. */
export function channelIndex(axis: ChannelAxis, element: number): number {
  return Math.floor(element / axis.stride) % axis.channels;
}
