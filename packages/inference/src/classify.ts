import type { OutputTensor } from "@sluice/tensor";
import { numbersOf } from "./numbers-of.js";

/** One class that a network takes its input for. */
export interface Prediction {
  /** Index of the class. */
  readonly label: number;
  /** Its name, or its index as text where there are no names. */
  readonly name: string;
  /** 0..1; over all classes they sum to 1. */
  readonly probability: number;
}

/** exp(x) over the sum of all, computed without overflow. */
export function softmax(logits: ArrayLike<number>): Float64Array {
  // Not `from`, which goes through an iterator: a server does this for every frame.
  const result = new Float64Array(logits);
  let peak = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < result.length; i++) peak = Math.max(peak, result[i]!);
  let sum = 0;
  for (let i = 0; i < result.length; i++) {
    result[i] = Math.exp(result[i]! - peak);
    sum += result[i]!;
  }
  for (let i = 0; i < result.length; i++) result[i] = result[i]! / sum;
  return result;
}

/** Whether values are probabilities already: none negative, their sum 1 within 0.1 %. */
function areProbabilities(values: ArrayLike<number>): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    if (!(values[i]! >= 0)) return false;
    sum += values[i]!;
  }
  return Math.abs(sum - 1) < 1e-3;
}

/**
 * The most probable classes, best first; of equal ones the lower index first.
 * @param output what a classifier gives: one value for each class, as logits or as probabilities (of any shape)
 * @param count how many; all where there are fewer
 */
export function classify(output: OutputTensor, labels: readonly string[] = [], count = 5): Prediction[] {
  const values = numbersOf(output);
  const probabilities = areProbabilities(values) ? new Float64Array(values) : softmax(values);
  return findBest(probabilities, count).map((label) => {
    return { label, name: labels[label] ?? String(label), probability: probabilities[label]! };
  });
}

/** Where the largest values stand, the largest first; of equal ones the first. Numbers are moved, not objects: a server does this for every frame. */
function findBest(values: Float64Array, count: number): number[] {
  const best: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    let at = best.length;
    while (at > 0 && value > values[best[at - 1]!]!) at--;
    if (at >= count) continue;
    if (best.length < count) best.push(i);
    for (let behind = best.length - 1; behind > at; behind--) best[behind] = best[behind - 1]!;
    best[at] = i;
  }
  return best;
}
