/** The median of the latest samples: what is common, whatever has held a few of them up. */
export interface LatestMedian {
  add(sample: number): void;
  /** The lower of two in the middle; `undefined` before the first sample. */
  readonly value: number | undefined;
}

/** `count`: samples that are remembered; a few, for they are sorted with each that comes. */
export function createLatestMedian(count: number): LatestMedian {
  const latest: number[] = [];
  let value: number | undefined;
  return {
    add(sample) {
      latest.push(sample);
      if (latest.length > count) latest.shift();
      value = latest.toSorted((a, b) => a - b)[(latest.length - 1) >> 1];
    },
    get value() {
      return value;
    },
  };
}
