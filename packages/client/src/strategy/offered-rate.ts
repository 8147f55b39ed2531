/** Frames per second that are offered, from the times of the last ones. */
export interface OfferedRate {
  add(nowMs: number): void;
  readonly framesPerSecond: number;
}

const window = 16;
const fewest = 4;

/** @param expected what is said before there are enough */
export function createOfferedRate(expected: number): OfferedRate {
  const times: number[] = [];
  return {
    add(nowMs) {
      times.push(nowMs);
      if (times.length > window) times.shift();
    },
    get framesPerSecond() {
      const spanMs = times.at(-1)! - times[0]!;
      if (times.length < fewest || spanMs <= 0) return expected;
      return ((times.length - 1) * 1_000) / spanMs;
    },
  };
}
