/** The median of the latest samples: what is common, whatever has held a few of them up. */
export interface LatestMedian {
  add(sample: number): void;
  /** The lower of two in the middle; `undefined` before the first sample. */
  readonly value: number | undefined;
}

/** `count`: samples that are remembered, a few. */
export function createLatestMedian(count: number): LatestMedian {
  const latest: number[] = [];
  // The same by size, kept so in place: there is a sample for every frame.
  const sorted: number[] = [];
  return {
    add(sample) {
      if (latest.push(sample) > count) sorted.splice(sorted.indexOf(latest.shift()!), 1);
      let at = sorted.push(sample) - 1;
      for (; at > 0 && sorted[at - 1]! > sample; at--) sorted[at] = sorted[at - 1]!;
      sorted[at] = sample;
    },
    get value() {
      return sorted[(sorted.length - 1) >> 1];
    },
  };
}
