import type { ResidualField } from "./residual-field.js";
import type { TapTable } from "./tap-table.js";

/** What concealed elements are kept within, by channel. */
export interface ChannelRanges {
  readonly lowest: Float32Array;
  readonly highest: Float32Array;
}

/** Whether at least a third of the taps `first` to `end` look at what came. */
function isServed(came: Uint8Array, place: number, steps: Int32Array, first: number, end: number): boolean {
  let count = 0;
  for (let k = first; k < end; k++) count += came[place + steps[k]!]!;
  return end > first && 3 * count >= end - first;
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
    const first = near.firsts[channel]!;
    const ownEnd = first + near.ownCounts[channel]!;
    const [othersFirst, othersEnd] = [others.firsts[channel]!, others.firsts[channel + 1]!];
    let kept = firsts[channel]!;
    let spilled = 0;
    for (let i = kept; i < firsts[channel + 1]!; i++) {
      const place = places[i]!;
      if (
        !isServed(came, place, near.steps, first, ownEnd) &&
        isServed(came, place, others.steps, othersFirst, othersEnd)
      ) {
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

/** Predicts the missing elements `from` to `to`, of one channel, each from what is there now. */
function predictRun(
  { residuals, places, elements }: ResidualField,
  baseline: Float32Array,
  table: TapTable,
  channel: number,
  ranges: ChannelRanges,
  from: number,
  to: number,
): void {
  const { steps, weights } = table;
  const first = table.firsts[channel]!;
  const end = table.firsts[channel + 1]!;
  const lowest = ranges.lowest[channel]!;
  const highest = ranges.highest[channel]!;
  const step = to > from ? 1 : -1;
  for (let i = from; i !== to; i += step) {
    const place = places[i]!;
    let sum = 0;
    for (let k = first; k < end; k++) sum += weights[k]! * residuals[place + steps[k]!]!;
    const base = baseline[elements[i]!]!;
    residuals[place] = Math.max(lowest - base, Math.min(highest - base, sum));
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
      if (sweep % 2 === 0) {
        predictRun(field, baseline, near, channel, ranges, first, split);
        if (others) predictRun(field, baseline, others, channel, ranges, split, end);
      } else {
        if (others) predictRun(field, baseline, others, channel, ranges, end - 1, split - 1);
        predictRun(field, baseline, near, channel, ranges, split - 1, first - 1);
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
