import type { NeighbourPredictors } from "./neighbour-predictors.js";
import type { TransformStatistics } from "./transform-statistics.js";

/**
 * What calibration knows of a cut: computed on training images by `sluice calibrate` (spec 6.4).
 * Channels are those of the cut's layout (see `channelAxis`).
 */
export interface CutStatistics {
  /** Name of the tensor at the cut. */
  readonly cut: string;
  readonly shape: readonly number[];
  /** Tensors that it was computed from. */
  readonly samples: number;
  /** For each channel. */
  readonly channelMean: Float32Array;
  readonly channelDeviation: Float32Array;
  /** For each channel, where known: the range that was seen. A quantizer spends no levels outside of it. */
  readonly channelMinimum?: Float32Array;
  readonly channelMaximum?: Float32Array;
  /** For each element: the mean element over the data set. */
  readonly meanElement: Float32Array;
  /** What the codec `sluice` needs; absent where only concealment and quantizers were calibrated for. */
  readonly transform?: TransformStatistics;
  /** Where known: how elements depend on those around them, which concealment goes by. */
  readonly neighbours?: NeighbourPredictors;
}
