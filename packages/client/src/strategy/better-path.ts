/** Tells when a path carries far more than it did: what was learnt on the worse one does not hold on it. */
export interface BetterPath {
  /** @returns whether it has become a better one; `undefined` where nothing was measured */
  notice(bitsPerSecond: number | undefined): boolean;
}

/** A path that carries so many times more than before is another path. */
const betterPath = 2;
/** What a single estimate says of it: they waver, and one of them is no better path. */
const gain = 1 / 8;

export function createBetterPath(): BetterPath {
  let smooth: number | undefined;
  /** Since it last became a better one. */
  let lowest = Number.POSITIVE_INFINITY;
  return {
    notice(bitsPerSecond) {
      if (bitsPerSecond === undefined) return false;
      smooth ??= bitsPerSecond;
      smooth += (bitsPerSecond - smooth) * gain;
      const isBetter = smooth > betterPath * lowest;
      lowest = isBetter ? smooth : Math.min(lowest, smooth);
      return isBetter;
    },
  };
}
