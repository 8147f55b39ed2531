import type { ResidualField } from "./residual-field.js";
import { type TapTable, tapsInGroup } from "./tap-table.js";

/** What concealed elements are kept within, by channel. */
export interface ChannelRanges {
  readonly lowest: Float32Array;
  readonly highest: Float32Array;
}

/** Whether at least a third of `count` taps from `first`, and one at least, look at what came. */
function isServed(came: Uint8Array, place: number, steps: Int32Array, first: number, count: number): boolean {
  let found = 0;
  for (let k = first; k < first + count; k++) found += came[place + steps[k]!]!;
  return count > 0 && 3 * found >= count;
}

/** The tables of `auto`, in the order that a channel's elements are predicted in. */
export interface PredictorTables {
  readonly near: TapTable;
  readonly own: TapTable;
  readonly others: TapTable;
}

/**
 * Orders each channel's missing elements by the table that predicts them, by what came of that which `near` looks at:
 * `near` where it was two thirds of its own channel, or a third of that and a third of the others; where it was less than a
 * third of its own, `others`, if a third of the others or of what `others` itself looks at came; else `own`, which also
 * carries in what is known from further away.
 * @returns for each channel where those of `own` and those of `others` begin
 */
export function choosePredictors(field: ResidualField, { near, others }: PredictorTables): Int32Array {
  const { came, places, elements, firsts } = field;
  const { channels } = field.geometry;
  const splits = new Int32Array(2 * channels);
  const { byOwn, byOthers } = field.choice;
  for (let channel = 0; channel < channels; channel++) {
    const ownCount = near.ownCounts[channel]!;
    const [otherFirst, otherCount] = [near.firsts[channel]!, near.otherCounts[channel]!];
    const group = near.firsts[channel + 1]! - tapsInGroup;
    const { steps } = near;
    // A channel without taps has no group: its own places are looked at then, which did not come.
    const s0 = steps[group] ?? 0;
    const s1 = steps[group + 1] ?? 0;
    const s2 = steps[group + 2] ?? 0;
    const s3 = steps[group + 3] ?? 0;
    const s4 = steps[group + 4] ?? 0;
    const s5 = steps[group + 5] ?? 0;
    const s6 = steps[group + 6] ?? 0;
    const s7 = steps[group + 7] ?? 0;
    const [othersFirst, othersCount] = [others.firsts[channel]!, others.otherCounts[channel]!];
    let kept = firsts[channel]!;
    let owns = 0;
    let othersEnd = 0;
    for (let i = kept; i < firsts[channel + 1]!; i++) {
      const place = places[i]!;
      const element = elements[i]!;
      // What fills up the group looks at the element itself, which did not come.
      const beside = came[place + s0]! + came[place + s1]! + came[place + s2]! + came[place + s3]!;
      const around = came[place + s4]! + came[place + s5]! + came[place + s6]! + came[place + s7]!;
      const own = beside + around;
      const isOwnServed = ownCount > 0 && 3 * own >= ownCount;
      let isNear = ownCount > 0 && 3 * own >= 2 * ownCount;
      let isOthers = false;
      if (!isNear) {
        const isOtherServed = isServed(came, place, near.steps, otherFirst, otherCount);
        isNear = isOwnServed && isOtherServed;
        isOthers =
          !isOwnServed && (isOtherServed || isServed(came, place, others.steps, othersFirst, othersCount));
      }
      if (isNear) {
        places[kept] = place;
        elements[kept++] = element;
      } else if (isOthers) {
        byOthers[othersEnd++] = place;
        byOthers[othersEnd++] = element;
      } else {
        byOwn[owns++] = place;
        byOwn[owns++] = element;
      }
    }
    splits[2 * channel] = kept;
    for (let k = 0; k < owns; k += 2, kept++) {
      places[kept] = byOwn[k]!;
      elements[kept] = byOwn[k + 1]!;
    }
    splits[2 * channel + 1] = kept;
    for (let k = 0; k < othersEnd; k += 2, kept++) {
      places[kept] = byOthers[k]!;
      elements[kept] = byOthers[k + 1]!;
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
  const [w4, w5, w6, w7] = [
    weights[group + 4]!,
    weights[group + 5]!,
    weights[group + 6]!,
    weights[group + 7]!,
  ];
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
  const { residuals: r, places, elements, sums } = field;
  const lowest = ranges.lowest[channel]!;
  const highest = ranges.highest[channel]!;
  const last = table.firsts[channel + 1]! - tapsInGroup;
  if (from === to) return;
  if (last < table.firsts[channel]!) {
    // A channel without taps: what it began with stays, within the range.
    for (let i = from; i < to; i++) {
      const base = baseline[elements[i]!]!;
      r[places[i]!] = Math.max(lowest - base, Math.min(highest - base, r[places[i]!]!));
    }
    return;
  }
  // What other channels say does not change during the run; only the last group may look at its own.
  for (let group = table.firsts[channel]!; group < last; group += tapsInGroup) {
    sumGroup(field, table, group, group === table.firsts[channel], from, to);
  }
  const isAlone = last === table.firsts[channel];
  const { steps, weights } = table;
  const [s0, s1, s2, s3] = [steps[last]!, steps[last + 1]!, steps[last + 2]!, steps[last + 3]!];
  const [s4, s5, s6, s7] = [steps[last + 4]!, steps[last + 5]!, steps[last + 6]!, steps[last + 7]!];
  const [w0, w1, w2, w3] = [weights[last]!, weights[last + 1]!, weights[last + 2]!, weights[last + 3]!];
  const [w4, w5, w6, w7] = [weights[last + 4]!, weights[last + 5]!, weights[last + 6]!, weights[last + 7]!];
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
    // biome-ignore lint/complexity/useMathMinMax: they care for NaN and -0, which are not here, and take longer
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
  tables: PredictorTables | TapTable,
  ranges: ChannelRanges,
  sweeps: number,
): void {
  const { channels } = field.geometry;
  const { firsts } = field;
  const splits = "near" in tables ? choosePredictors(field, tables) : undefined;
  const order = "near" in tables ? [tables.near, tables.own, tables.others] : [tables];
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const isBackwards = sweep % 2 === 1;
    for (let n = 0; n < channels; n++) {
      const channel = isBackwards ? channels - 1 - n : n;
      const [first, end] = [firsts[channel]!, firsts[channel + 1]!];
      if (first === end) continue;
      const bounds = splits ? [first, splits[2 * channel]!, splits[2 * channel + 1]!, end] : [first, end];
      for (let k = 0; k < order.length; k++) {
        const run = isBackwards ? order.length - 1 - k : k;
        const range = [bounds[run]!, bounds[run + 1]!] as const;
        predictRun(field, baseline, order[run]!, channel, ranges, range, isBackwards);
      }
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
