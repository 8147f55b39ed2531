/** The middle one of some values; of an even number the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A result of each of the last runs, and how long the runs took, in the middle and at best. */
export interface TimedRuns<T> {
  readonly medianMs: number;
  readonly bestMs: number;
  readonly results: readonly T[];
}

/** Runs that are not counted: the first ones allocate and are compiled. */
const warmUpRuns = 2;

/**
 * Calls a function for inputs in turn and takes the time of each call.
 * @param now milliseconds, of a clock that does not step
 * @returns the results for the inputs, in their order
 */
export async function timeRuns<Input, Result>(
  inputs: readonly Input[],
  runs: number,
  call: (input: Input) => Promise<Result> | Result,
  now: () => number,
): Promise<TimedRuns<Result>> {
  const results: Result[] = [];
  const times: number[] = [];
  const total = Math.max(runs, inputs.length) + warmUpRuns;
  for (let i = 0; i < total; i++) {
    const at = i % inputs.length;
    const start = now();
    const result = await call(inputs[at]!);
    if (i >= warmUpRuns) times.push(now() - start);
    results[at] = result;
  }
  return { medianMs: median(times), bestMs: Math.min(...times), results };
}
