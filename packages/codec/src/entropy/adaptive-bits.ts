/**
 * Probabilities of binary decisions that adapt while they are coded (spec 6.10): as fast as the mean of what came at first,
 * then ever slower. All arithmetic is on integers: both ends, on all machines, have the same.
 */
export interface AdaptiveBits {
  /** For each context: the probability of a 1, in 1/65,536. */
  readonly probability: Int32Array;
  /** For each context: decisions so far, up to where adaptation slows down no more. */
  readonly count: Uint8Array;
}

/** Decisions after which the weight of the next one stays as it is. */
const slowest = 60;
const leastProbability = 64;
const mostProbability = 65_536 - leastProbability;

/** 1 / (n + 1.5) in 1/32,768. */
export const weights = Int32Array.from({ length: slowest + 1 }, (_, n) => Math.floor(65_536 / (2 * n + 3)));

export function createAdaptiveBits(contexts: number): AdaptiveBits {
  return { probability: new Int32Array(contexts), count: new Uint8Array(contexts) };
}

export function resetAdaptiveBits({ probability, count }: AdaptiveBits): void {
  probability.fill(32_768);
  count.fill(0);
}

/** Learns one decision. */
export function adapt({ probability, count }: AdaptiveBits, context: number, bit: number): void {
  const before = probability[context]!;
  const n = count[context]!;
  const weight = weights[n]!;
  if (n < slowest) count[context] = n + 1;
  if (bit === 1) {
    probability[context] = Math.min(mostProbability, before + (((65_536 - before) * weight) >> 15));
  } else {
    probability[context] = Math.max(leastProbability, before - ((before * weight) >> 15));
  }
}
