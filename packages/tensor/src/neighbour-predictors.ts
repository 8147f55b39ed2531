import { type ChannelAxis, channelAxis } from "./channel-axis.js";
import { type Layout, TensorError } from "./tensor.js";

/** Rows and columns of places that a predictor looks at, around the element. */
export const windowSide = 3;
export const placesInWindow = windowSide * windowSide;
/** The place of the element itself. */
export const centrePlace = (placesInWindow - 1) / 2;

/**
 * For each channel a linear predictor of an element from `taps` elements in the 3 x 3 places around it, of any
 * channels. What it takes and gives are deviations from the mean element, in units of each channel's deviation.
 */
export interface NeighbourTaps {
  /** Taps of each channel, at most {@link maxTaps}. */
  readonly taps: number;
  /**
   * For each channel and tap, the element looked at: 9 times its channel plus its place, which is 3 (rows below + 1) +
   * columns to the right + 1.
   */
  readonly sources: Uint16Array;
  /** For each channel and tap; 0: the tap is not used. */
  readonly weights: Float32Array;
}

/** What calibration knows of how elements depend on those around them (spec 6.4): the conditional mean, cut to few taps. */
export interface NeighbourPredictors {
  /** Looks at all elements but the one predicted; best where enough came. */
  readonly near: NeighbourTaps;
  /** Looks at its own channel only, for where little of others came. */
  readonly own: NeighbourTaps;
  /** Looks at other channels only, for where little of its own came. */
  readonly others: NeighbourTaps;
}

export const predictorNames = ["near", "own", "others"] as const satisfies (keyof NeighbourPredictors)[];

export const maxTaps = 64;
/** Sources are uint16, and what is summed up in calibration grows with its square. */
export const maxPredictedChannels = 512;

/** Where the elements of channels lie that are planes. */
export interface PlaneGeometry {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly axis: ChannelAxis;
  /** Steps in the tensor from an element to the next channel, row and column. */
  readonly channelStep: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

/** The planes of a tensor; `undefined` where the layout names none. */
export function planeGeometry(shape: readonly number[], layout: Layout): PlaneGeometry | undefined {
  if (layout === "any" || shape.length !== 3) return undefined;
  const axis = channelAxis(shape, layout);
  const [a, b, c] = shape as [number, number, number];
  return layout === "chw"
    ? { channels: a, height: b, width: c, axis, channelStep: b * c, rowStep: c, columnStep: 1 }
    : { channels: c, height: a, width: b, axis, channelStep: 1, rowStep: b * c, columnStep: c };
}

/** @throws TensorError naming what is not as {@link NeighbourPredictors} says */
export function checkNeighbourPredictors(predictors: NeighbourPredictors, channels: number): void {
  for (const name of predictorNames) {
    const { taps, sources, weights } = predictors[name];
    const field = `neighbours.${name}`;
    if (!Number.isInteger(taps) || taps < 1 || taps > maxTaps) {
      throw new TensorError(`${field}.taps`, `must be 1 to ${maxTaps}, got ${taps}`);
    }
    if (sources.length !== taps * channels || weights.length !== taps * channels) {
      throw new TensorError(field, `of ${sources.length} sources, ${channels} channels have ${taps} each`);
    }
    for (const [i, source] of sources.entries()) {
      if (weights[i] === 0) continue;
      const channel = Math.floor(i / taps);
      const from = Math.floor(source / placesInWindow);
      if (from >= channels)
        throw new TensorError(`${field}.sources`, `channel ${from}, there are ${channels}`);
      const isBarred =
        from === channel ? name === "others" || source % placesInWindow === centrePlace : name === "own";
      if (isBarred) {
        throw new TensorError(`${field}.sources`, `channel ${channel} looks at ${source}, which it may not`);
      }
    }
  }
}
