/** Numbers in [0, 1), the same for the same seed: mulberry32 (public domain, Tommy Ettinger 2017). */
export function createSeededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The numbers 0..count-1, in order or, with a seed, shuffled (Fisher-Yates). */
export function orderOf(count: number, seed?: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  if (seed === undefined) return order;
  const random = createSeededRandom(seed);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
  return order;
}
