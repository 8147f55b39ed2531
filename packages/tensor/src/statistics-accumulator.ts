import { channelAxis } from "./channel-axis.js";
import { fitNeighbourPredictors } from "./fit-neighbour-predictors.js";
import { createLagCovarianceAccumulator, lagCovarianceCost } from "./lag-covariance.js";
import { channelMoments } from "./moments.js";
import { maxPredictedChannels, planeGeometry } from "./neighbour-predictors.js";
import type { CutStatistics } from "./statistics.js";
import { checkSpec, elementCount, type Layout, TensorError } from "./tensor.js";

/** Gathers {@link CutStatistics} from tensors of one cut. */
export interface StatisticsAccumulator {
  /**
   * Takes in one tensor, which is not kept.
   * @throws TensorError if it is of another length than the shape asks for or holds a NaN or an infinity; then
   *   nothing of it is taken in.
   */
  add(tensor: Float32Array): void;
  /** What was gathered so far; more can be added. @throws TensorError if nothing was. */
  finish(): CutStatistics;
}

/** Multiply-adds that go into neighbour predictors, about 40 s, but for so many tensors. Further ones do without. */
const maxNeighbourCost = 2e10;
const minNeighbourSamples = 16;

/**
 * Starts gathering statistics of a cut, in float64 and in a way that stays exact for any number of tensors: means
 * as running means, deviations merged from each tensor's own (Chan, Golub & LeVeque, "Updating formulae and a
 * pairwise algorithm for computing sample variances", 1979).
 * @param layout which axis is the channel's; by default `chw` for three axes, else one channel.
 * @param options.neighbours also fits neighbour predictors, where the layout has planes and at most 512 channels; from
 *   the first tensors only where all would take minutes, so they should come in no order
 */
export function createStatisticsAccumulator(
  cut: string,
  shape: readonly number[],
  layout: Layout = shape.length === 3 ? "chw" : "any",
  options: { readonly neighbours?: boolean } = {},
): StatisticsAccumulator {
  checkSpec({ dtype: "float32", shape, layout });
  const elements = elementCount(shape);
  const { channels } = channelAxis(shape, layout);
  const perChannel = elements / channels;
  const meanElement = new Float64Array(elements);
  const mean = new Float64Array(channels);
  const squares = new Float64Array(channels);
  const minimum = new Float64Array(channels).fill(Number.POSITIVE_INFINITY);
  const maximum = new Float64Array(channels).fill(Number.NEGATIVE_INFINITY);
  const planes = options.neighbours ? planeGeometry(shape, layout) : undefined;
  const lags =
    planes && planes.channels <= maxPredictedChannels ? createLagCovarianceAccumulator(planes) : undefined;
  const lagSamples = planes
    ? Math.max(minNeighbourSamples, Math.floor(maxNeighbourCost / lagCovarianceCost(planes)))
    : 0;
  let samples = 0;

  return {
    add(tensor) {
      const moments = channelMoments(tensor, shape, layout);
      for (const [channel, { count }] of moments.entries()) {
        if (count !== perChannel)
          throw new TensorError("tensor", `channel ${channel} has non-finite elements`);
      }
      for (const [channel, own] of moments.entries()) {
        const difference = own.mean - mean[channel]!;
        mean[channel] = mean[channel]! + difference / (samples + 1);
        squares[channel] =
          squares[channel]! +
          own.deviation ** 2 * perChannel +
          (difference ** 2 * perChannel * samples) / (samples + 1);
        minimum[channel] = Math.min(minimum[channel]!, own.minimum);
        maximum[channel] = Math.max(maximum[channel]!, own.maximum);
      }
      if (samples < lagSamples) lags?.add(tensor);
      samples++;
      for (let i = 0; i < elements; i++) {
        meanElement[i] = meanElement[i]! + (tensor[i]! - meanElement[i]!) / samples;
      }
    },
    finish() {
      if (samples === 0) throw new TensorError("samples", `no tensor of ${cut} was added`);
      const channelDeviation = Float32Array.from(squares, (sum) => Math.sqrt(sum / (samples * perChannel)));
      return {
        cut,
        shape: [...shape],
        samples,
        channelMean: Float32Array.from(mean),
        channelDeviation,
        channelMinimum: Float32Array.from(minimum),
        channelMaximum: Float32Array.from(maximum),
        meanElement: Float32Array.from(meanElement),
        ...(lags && { neighbours: fitNeighbourPredictors(lags.finish(), channelDeviation) }),
      };
    },
  };
}
