import type { ResidualField } from "./residual-field.js";
import { type TapTable, tapsInGroup } from "./tap-table.js";

/** What concealed elements are kept within, by channel. */
export interface ChannelRanges {
  readonly lowest: Float32Array;
  readonly highest: Float32Array;
}

type Four = [number, number, number, number];

/** Whether at least a third of `count` taps from `first` look at what came. */
function isServed(came: Uint8Array, place: number, steps: Int32Array, first: number, count: number): boolean {
  const wanted = Math.ceil(count / 3);
  let found = 0;
  for (let k = first; k < first + count; k++) {
    found += came[place + steps[k]!]!;
    if (found === wanted) return true;
  }
  return false;
}

/**
 * Orders each channel's missing elements by the table that predicts them: first those of `near`, then those of `others`.
 * `others` is for elements of whose own channel too little came (less than a third of what `near` looks at) while enough
 * of the other channels did; where neither did, `near` carries in what is known from further away.
 * @returns for each channel where those of `others` begin
 */
export function choosePredictors(field: ResidualField, near: TapTable, others: TapTable): Int32Array {
  const { came, places, elements, firsts } = field;
  const { channels, height, width } = field.geometry;
  const splits = new Int32Array(channels);
  const spill = new Int32Array(2 * height * width);
  for (let channel = 0; channel < channels; channel++) {
    const [ownFirst, ownCount] = [near.firsts[channel + 1]! - tapsInGroup, near.ownCounts[channel]!];
    const [othersFirst, othersCount] = [others.firsts[channel]!, others.otherCounts[channel]!];
    const [s0, s1, s2, s3] = [0, 1, 2, 3].map((k) => near.steps[ownFirst + k] ?? 0) as Four;
    const [s4, s5, s6, s7] = [4, 5, 6, 7].map((k) => near.steps[ownFirst + k] ?? 0) as Four;
    let kept = firsts[channel]!;
    let spilled = 0;
    for (let i = kept; i < firsts[channel + 1]!; i++) {
      const place = places[i]!;
      // What fills up the group looks at the element itself, which did not come.
      const beside = came[place + s0]! + came[place + s1]! + came[place + s2]! + came[place + s3]!;
      const around = came[place + s4]! + came[place + s5]! + came[place + s6]! + came[place + s7]!;
      const isNear = ownCount > 0 && 3 * (beside + around) >= ownCount;
      if (!isNear && isServed(came, place, others.steps, othersFirst, othersCount)) {
        spill[spilled++] = place;
        spill[spilled++] = elements[i]!;
      } else {
        places[kept] = place;
        elements[kept++] = elements[i]!;
      }
    }
    splits[channel] = kept;
    for (let k = 0; k < spilled; k += 2, kept++) {
      places[kept] = spill[k]!;
      elements[kept] = spill[k + 1]!;
    }
  }
  return splits;
}

/** Begins the sums of a run of missing elements, or adds to them, what one group of taps says. */
function sumGroup(
  { residuals, places, sums }: ResidualField,
  { steps, weights }: TapTable,
  group: number,
  isFirst: boolean,
  from: number,
  to: number,
): void {
  // Eight taps in variables: twice as fast as a loop over them.
  const [s0, s1, s2, s3] = [steps[group]!, steps[group + 1]!, steps[group + 2]!, steps[group + 3]!];
  const [s4, s5, s6, s7] = [steps[group + 4]!, steps[group + 5]!, steps[group + 6]!, steps[group + 7]!];
  const [w0, w1, w2, w3] = [weights[group]!, weights[group + 1]!, weights[group + 2]!, weights[group + 3]!];
  const [w4, w5, w6, w7] = [weights[group + 4]!, weights[group + 5]!, weights[group + 6]!, weights[group + 7]!];
  for (let i = from; i < to; i++) {
    const p = places[i]!;
    const r = residuals;
    const low = w0 * r[p + s0]! + w1 * r[p + s1]! + w2 * r[p + s2]! + w3 * r[p + s3]!;
    const high = w4 * r[p + s4]! + w5 * r[p + s5]! + w6 * r[p + s6]! + w7 * r[p + s7]!;
    sums[i - from] = (isFirst ? 0 : sums[i - from]!) + (low + high);
  }
}

/** Predicts the missing elements `from` to `to`, of one channel, each from what is there now; backwards if asked. */
function predictRun(
  field: ResidualField,
  baseline: Float32Array,
  table: TapTable,
  channel: number,
  ranges: ChannelRanges,
  [from, to]: readonly [number, number],
  isBackwards: boolean,
): void {
  const last = table.firsts[channel + 1]! - tapsInGroup;
  // A channel without taps: its residuals stay 0.
  if (last < table.firsts[channel]! || from === to) return;
  // What other channels say does not change during the run; only the last group may look at its own.
  for (let group = table.firsts[channel]!; group < last; group += tapsInGroup) {
    sumGroup(field, table, group, group === table.firsts[channel], from, to);
  }
  const isAlone = last === table.firsts[channel];
  const { residuals: r, places, elements, sums } = field;
  const { steps, weights } = table;
  const [s0, s1, s2, s3] = [steps[last]!, steps[last + 1]!, steps[last + 2]!, steps[last + 3]!];
  const [s4, s5, s6, s7] = [steps[last + 4]!, steps[last + 5]!, steps[last + 6]!, steps[last + 7]!];
  const [w0, w1, w2, w3] = [weights[last]!, weights[last + 1]!, weights[last + 2]!, weights[last + 3]!];
  const [w4, w5, w6, w7] = [weights[last + 4]!, weights[last + 5]!, weights[last + 6]!, weights[last + 7]!];
  const lowest = ranges.lowest[channel]!;
  const highest = ranges.highest[channel]!;
  const step = isBackwards ? -1 : 1;
  const end = isBackwards ? from - 1 : to;
  for (let i = isBackwards ? to - 1 : from; i !== end; i += step) {
    const p = places[i]!;
    const low = w0 * r[p + s0]! + w1 * r[p + s1]! + w2 * r[p + s2]! + w3 * r[p + s3]!;
    const high = w4 * r[p + s4]! + w5 * r[p + s5]! + w6 * r[p + s6]! + w7 * r[p + s7]!;
    const sum = (isAlone ? 0 : sums[i - from]!) + (low + high);
    const base = baseline[elements[i]!]!;
    const least = lowest - base;
    const most = highest - base;
    r[p] = sum < least ? least : sum > most ? most : sum;
  }
}

/**
 * Finds the residuals of what is missing, so that each is what its predictor says of those around it: the conditional mean
 * of a Gauss-Markov random field, by Gauss-Seidel sweeps, forwards and backwards in turn.
 */
export function relax(
  field: ResidualField,
  baseline: Float32Array,
  near: TapTable,
  others: TapTable | undefined,
  ranges: ChannelRanges,
  sweeps: number,
): void {
  const { channels } = field.geometry;
  const { firsts } = field;
  const splits = others && choosePredictors(field, near, others);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    for (let n = 0; n < channels; n++) {
      const channel = sweep % 2 === 0 ? n : channels - 1 - n;
      const first = firsts[channel]!;
      const end = firsts[channel + 1]!;
      if (first === end) continue;
      const split = splits?.[channel] ?? end;
      const nearRun = () =>
        predictRun(field, baseline, near, channel, ranges, [first, split], sweep % 2 === 1);
      if (sweep % 2 === 0) nearRun();
      if (others) predictRun(field, baseline, others, channel, ranges, [split, end], sweep % 2 === 1);
      if (sweep % 2 === 1) nearRun();
    }
  }
}

/** Writes what was found into the tensor. */
export function storeResiduals(field: ResidualField, baseline: Float32Array, values: Float32Array): void {
  const { residuals, places, elements, firsts } = field;
  const count = firsts[firsts.length - 1]!;
  for (let i = 0; i < count; i++) {
    const element = elements[i]!;
    values[element] = baseline[element]! + residuals[places[i]!]!;
  }
}
