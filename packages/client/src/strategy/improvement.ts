/** Tells when a path or a machine is far better than it was: what was learnt while it was worse does not hold on it. */
export interface Improvement {
  /**
   * @param figure more is better
   * @returns whether it has become a far better one; `undefined` where nothing was measured
   */
  notice(figure: number | undefined): boolean;
}

/** What does so many times more than before is another one. */
const far = 2;
/** What a single estimate says of it: they waver, and one of them is no improvement. */
const gain = 1 / 8;

export function createImprovement(): Improvement {
  let smooth: number | undefined;
  /** Since it last became a better one. */
  let lowest = Number.POSITIVE_INFINITY;
  return {
    notice(figure) {
      if (figure === undefined) return false;
      smooth ??= figure;
      smooth += (figure - smooth) * gain;
      const isBetter = smooth > far * lowest;
      lowest = isBetter ? smooth : Math.min(lowest, smooth);
      return isBetter;
    },
  };
}
