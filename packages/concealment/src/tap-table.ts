import { centrePlace, type NeighbourTaps, placesInWindow, windowSide } from "@sluice/tensor";
import type { ResidualField } from "./residual-field.js";

/** Taps as steps in a residual field. */
export interface TapTable {
  /** Where each channel's taps begin; one more than there are channels. */
  readonly firsts: Int32Array;
  /** From the element to the one looked at. Those of the own channel stand first. */
  readonly steps: Int32Array;
  readonly weights: Float64Array;
  /** How many are of the own channel. */
  readonly ownCounts: Int32Array;
}

/** Lays taps out for a field. @param deviations of each channel, in which units the weights are */
export function layOutTaps(
  { taps, sources, weights }: NeighbourTaps,
  deviations: Float32Array,
  { geometry, pitch, planeSize }: ResidualField,
): TapTable {
  const firsts = new Int32Array(geometry.channels + 1);
  const ownCounts = new Int32Array(geometry.channels);
  const steps: number[] = [];
  const scaled: number[] = [];
  for (let channel = 0; channel < geometry.channels; channel++) {
    firsts[channel] = steps.length;
    for (const wantsOwn of [true, false]) {
      for (let i = channel * taps; i < (channel + 1) * taps; i++) {
        const from = Math.floor(sources[i]! / placesInWindow);
        const unit = deviations[from]!;
        if ((from === channel) !== wantsOwn || weights[i] === 0 || !(unit > 0)) continue;
        const place = sources[i]! % placesInWindow;
        const down = Math.floor(place / windowSide) - 1;
        steps.push((from - channel) * planeSize + down * pitch + (place % windowSide) - 1);
        scaled.push((weights[i]! * deviations[channel]!) / unit);
      }
      if (wantsOwn) ownCounts[channel] = steps.length - firsts[channel]!;
    }
  }
  firsts[geometry.channels] = steps.length;
  return { firsts, ownCounts, steps: Int32Array.from(steps), weights: Float64Array.from(scaled) };
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
