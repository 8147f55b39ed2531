import { decodeFloat16, encodeFloat16 } from "./float16.js";
import type { LagCovariance } from "./lag-covariance.js";
import {
  centrePlace,
  type NeighbourPredictors,
  type NeighbourTaps,
  placesInWindow,
  windowSide,
} from "./neighbour-predictors.js";

/** Added to each variance, as a share of it: keeps weights small where neighbours say the same. */
const ridge = 1e-3;

/** Correlation of two elements of a window, each given as 9 times its channel plus its place. */
function correlation(covariance: LagCovariance, deviations: Float64Array, a: number, b: number): number {
  const channelA = Math.floor(a / placesInWindow);
  const channelB = Math.floor(b / placesInWindow);
  const scale = deviations[channelA]! * deviations[channelB]!;
  if (scale === 0) return 0;
  const [from, to] = [a % placesInWindow, b % placesInWindow];
  const down = Math.floor(to / windowSide) - Math.floor(from / windowSide);
  const right = (to % windowSide) - (from % windowSide);
  return covariance.at(channelA, channelB, down, right) / scale;
}

/** The place of the largest of values that matter, from `first` to `end`; -1: none does. */
function largest(value: (place: number) => number, first: number, end: number): number {
  let best = -1;
  let bestValue = 1e-9;
  for (let j = first; j < end; j++) {
    const own = value(j);
    if (own > bestValue) [best, bestValue] = [j, own];
  }
  return best;
}

/** Weights w of the chosen sources that minimize the squared error: L L^T w = q, with L from the selection. */
function solveWeights(rows: readonly Float64Array[], chosen: readonly number[], gains: number[]): number[] {
  const weights = gains.slice();
  for (let i = chosen.length - 1; i >= 0; i--) {
    for (let j = i + 1; j < chosen.length; j++) weights[i]! -= rows[i]![chosen[j]!]! * weights[j]!;
    weights[i]! /= rows[i]![chosen[i]!]!;
  }
  return weights;
}

/**
 * Chooses up to `taps` of the allowed sources for a target, first those of its own channel, each time the one that leaves the least squared error
 * (orthogonal least squares: Chen, Billings & Luo, "Orthogonal least squares methods and their application to
 * non-linear system identification", 1989).
 */
function fitTarget(
  covariance: LagCovariance,
  deviations: Float64Array,
  target: number,
  taps: number,
  isAllowed: (source: number) => boolean,
): { chosen: number[]; weights: number[] } {
  const sources = covariance.channels * placesInWindow;
  /** What of a source the chosen ones do not explain: its variance, and its covariance with the target. */
  const variance = new Float64Array(sources);
  const withTarget = new Float64Array(sources);
  for (let j = 0; j < sources; j++) {
    if (!isAllowed(j) || deviations[Math.floor(j / placesInWindow)] === 0) continue;
    variance[j] = 1 + ridge;
    withTarget[j] = correlation(covariance, deviations, target, j);
  }
  const chosen: number[] = [];
  const gains: number[] = [];
  const rows: Float64Array[] = [];
  while (chosen.length < taps) {
    const isFree = (j: number) => variance[j]! > ridge / 2 && !chosen.includes(j);
    const gainOf = (j: number) => (isFree(j) ? withTarget[j]! ** 2 / variance[j]! : 0);
    let best = largest(gainOf, target - centrePlace, target - centrePlace + placesInWindow);
    if (best < 0) best = largest(gainOf, 0, sources);
    if (best < 0) break;
    const deviation = Math.sqrt(variance[best]!);
    const row = new Float64Array(sources);
    for (let j = 0; j < sources; j++) {
      if (variance[j] === 0) continue;
      let left = correlation(covariance, deviations, best, j) + (j === best ? ridge : 0);
      for (const earlier of rows) left -= earlier[best]! * earlier[j]!;
      row[j] = left / deviation;
    }
    const gain = withTarget[best]! / deviation;
    for (let j = 0; j < sources; j++) {
      if (variance[j] === 0) continue;
      withTarget[j] = withTarget[j]! - row[j]! * gain;
      variance[j] = Math.max(1e-12, variance[j]! - row[j]! ** 2);
    }
    chosen.push(best);
    gains.push(gain);
    rows.push(row);
  }
  return { chosen, weights: solveWeights(rows, chosen, gains) };
}

function fitTaps(
  covariance: LagCovariance,
  deviations: Float64Array,
  channelDeviation: Float32Array,
  taps: number,
  isAllowed: (channel: number, source: number) => boolean,
): NeighbourTaps {
  const sources = new Uint16Array(covariance.channels * taps);
  const weights = new Float32Array(covariance.channels * taps);
  for (let channel = 0; channel < covariance.channels; channel++) {
    if (deviations[channel] === 0) continue;
    const target = channel * placesInWindow + centrePlace;
    const fit = fitTarget(covariance, deviations, target, taps, (source) => isAllowed(channel, source));
    for (const [k, source] of fit.chosen.entries()) {
      sources[channel * taps + k] = source;
      const from = Math.floor(source / placesInWindow);
      const units =
        (deviations[channel]! / channelDeviation[channel]!) * (channelDeviation[from]! / deviations[from]!);
      // As it is stored, so that who calibrated and who reads the file conceal alike.
      weights[channel * taps + k] = decodeFloat16(encodeFloat16(fit.weights[k]! * units));
    }
  }
  return { taps, sources, weights };
}

/**
 * Predictors with the taps that matter most, from covariances. Channels that never vary get none and are none.
 * @param channelDeviation about the channel's mean, in which units the weights are given
 */
export function fitNeighbourPredictors(
  covariance: LagCovariance,
  channelDeviation: Float32Array,
  taps: Readonly<Record<keyof NeighbourPredictors, number>> = { near: 16, own: 8, others: 24 },
): NeighbourPredictors {
  const variances = Float64Array.from({ length: covariance.channels }, (_, c) => covariance.at(c, c, 0, 0));
  const floor = 1e-10 * Math.max(...variances);
  const deviations = variances.map((variance, c) =>
    variance > floor && channelDeviation[c]! > 0 ? Math.sqrt(variance) : 0,
  );
  const fit = (count: number, isAllowed: (channel: number, source: number) => boolean) =>
    fitTaps(covariance, deviations, channelDeviation, count, isAllowed);
  return {
    near: fit(taps.near, (channel, source) => source !== channel * placesInWindow + centrePlace),
    own: fit(
      taps.own,
      (channel, source) =>
        Math.floor(source / placesInWindow) === channel && source % placesInWindow !== centrePlace,
    ),
    others: fit(taps.others, (channel, source) => Math.floor(source / placesInWindow) !== channel),
  };
}
