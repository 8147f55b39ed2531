/**
 * What a classifier makes of a tensor, and how far two answers lie from each other. An output is taken for a
 * distribution's logarithms (logits) unless it is a distribution itself.
 */
export function logitsOf(output: Float32Array): Float64Array {
  const sum = output.reduce((total, value) => total + value, 0);
  const isDistribution = Math.abs(sum - 1) < 1e-3 && output.every((value) => value >= 0);
  return Float64Array.from(output, (value) => (isDistribution ? Math.log(value + 1e-9) : value));
}

/** Softmax of logits divided by a temperature. */
export function distribution(logits: Float64Array, temperature: number): Float64Array {
  const largest = logits.reduce((max, value) => Math.max(max, value), Number.NEGATIVE_INFINITY);
  const weights = logits.map((value) => Math.exp((value - largest) / temperature));
  const sum = weights.reduce((total, value) => total + value, 0);
  return weights.map((value) => value / sum);
}

/** Total variation distance: the probability that moved, 0 to 1. */
export function movedProbability(before: Float64Array, after: Float64Array): number {
  let distance = 0;
  for (let i = 0; i < before.length; i++) distance += Math.abs(before[i]! - after[i]!);
  return distance / 2;
}
