/** The smallest sample of the last milliseconds: samples that a later, smaller one hides are forgotten at once. */
export interface WindowedMin {
  add(value: number, nowMs: number): void;
  /** `undefined` where no sample is young enough. */
  get(nowMs: number): number | undefined;
  /** From now on so many milliseconds count; what was forgotten stays so. */
  setWindow(ms: number): void;
}

export function createWindowedMin(initialWindowMs: number): WindowedMin {
  let windowMs = initialWindowMs;
  // Rising in value and in time: the first one is the smallest.
  const samples: { readonly value: number; readonly atMs: number }[] = [];
  return {
    add(value, nowMs) {
      while (samples.length > 0 && samples.at(-1)!.value >= value) samples.pop();
      samples.push({ value, atMs: nowMs });
      while (samples[0]!.atMs < nowMs - windowMs) samples.shift();
    },
    get(nowMs) {
      while (samples.length > 0 && samples[0]!.atMs < nowMs - windowMs) samples.shift();
      return samples[0]?.value;
    },
    setWindow(ms) {
      windowMs = ms;
    },
  };
}
