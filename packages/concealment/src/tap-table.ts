import { centrePlace, type NeighbourTaps, placesInWindow, windowSide } from "@sluice/tensor";
import type { ResidualField } from "./residual-field.js";

/** Sweeps take so many taps at once. */
export const tapsInGroup = 8;

/**
 * Taps as steps in a residual field, in groups of eight: of each channel first those that look at other channels, then, in
 * one group, those that look at its own. Groups are filled up with taps of no weight.
 */
export interface TapTable {
  /** Where each channel's taps begin, multiples of eight; one more than there are channels. */
  readonly firsts: Int32Array;
  /** From the element to the one looked at. */
  readonly steps: Int32Array;
  readonly weights: Float64Array;
  /** How many look at other channels, from the channel's first on, and at its own, in its last group. */
  readonly otherCounts: Int32Array;
  readonly ownCounts: Int32Array;
}

/** Lays taps out for a field. @param deviations of each channel, in which units the weights are */
export function layOutTaps(
  { taps, sources, weights }: NeighbourTaps,
  deviations: Float32Array,
  { geometry, pitch, planeSize }: ResidualField,
): TapTable {
  const { channels } = geometry;
  const firsts = new Int32Array(channels + 1);
  const otherCounts = new Int32Array(channels);
  const ownCounts = new Int32Array(channels);
  const steps: number[] = [];
  const scaled: number[] = [];
  for (let channel = 0; channel < channels; channel++) {
    firsts[channel] = steps.length;
    for (const counts of [otherCounts, ownCounts]) {
      for (let i = channel * taps; i < (channel + 1) * taps; i++) {
        const from = Math.floor(sources[i]! / placesInWindow);
        const unit = deviations[from]!;
        if ((from === channel) !== (counts === ownCounts) || weights[i] === 0 || !(unit > 0)) continue;
        const place = sources[i]! % placesInWindow;
        const down = Math.floor(place / windowSide) - 1;
        steps.push((from - channel) * planeSize + down * pitch + (place % windowSide) - 1);
        scaled.push((weights[i]! * deviations[channel]!) / unit);
        counts[channel] = counts[channel]! + 1;
      }
      while (steps.length % tapsInGroup !== 0) {
        steps.push(0);
        scaled.push(0);
      }
    }
  }
  firsts[channels] = steps.length;
  const [steps32, weights64] = [Int32Array.from(steps), Float64Array.from(scaled)];
  return { firsts, steps: steps32, weights: weights64, otherCounts, ownCounts };
}

/**
 * Taps on the eight neighbours in the own channel, for all channels alike: the conditional mean of a separable first-order
 * autoregression, beside `weight` and diagonally -`weight`^2 (Besag, "Spatial interaction and the statistical analysis of
 * lattice systems", 1974).
 */
export function ownChannelTaps(channels: number, weight: number): NeighbourTaps {
  const places = Array.from({ length: placesInWindow }, (_, place) => place).filter(
    (place) => place !== centrePlace,
  );
  return {
    taps: places.length,
    sources: Uint16Array.from({ length: channels * places.length }, (_, i) => {
      return Math.floor(i / places.length) * placesInWindow + places[i % places.length]!;
    }),
    weights: Float32Array.from({ length: channels * places.length }, (_, i) => {
      return places[i % places.length]! % 2 === 1 ? weight : -weight * weight;
    }),
  };
}
