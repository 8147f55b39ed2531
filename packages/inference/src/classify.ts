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
  const best: Prediction[] = [];
  for (let label = 0; label < probabilities.length; label++) {
    const probability = probabilities[label]!;
    if (best.length >= count && !(probability > (best.at(-1)?.probability ?? 1))) continue;
    const at = best.findIndex((other) => probability > other.probability);
    best.splice(at < 0 ? best.length : at, 0, { label, name: labels[label] ?? String(label), probability });
    if (best.length > count) best.pop();
  }
  return best;
}
