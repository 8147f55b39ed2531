/** Decides when the next datagram may leave: a leaky bucket in time, so that no timer has to be exact. */
export interface Pacer {
  /** When the next datagram may leave, in milliseconds; in the past where it may leave at once. */
  readyAtMs(): number;
  sent(bytes: number, nowMs: number): void;
  setRate(bitsPerSecond: number): void;
  readonly bitsPerSecond: number;
}

/** What may leave at once after a pause. Timers of browsers and of Node are a few milliseconds coarse. */
const burstMs = 4;
/** A burst of some datagrams shows the rate of the bottleneck (`bandwidth-estimator.ts`), however slow the pace is. */
const minBurstBytes = 8 * 1_200;

export function createPacer(initialBitsPerSecond: number): Pacer {
  let bitsPerSecond = initialBitsPerSecond;
  let freeAtMs = Number.NEGATIVE_INFINITY;
  return {
    readyAtMs: () => freeAtMs - Math.max(burstMs, (minBurstBytes * 8_000) / bitsPerSecond),
    sent(bytes, nowMs) {
      freeAtMs = Math.max(freeAtMs, nowMs) + (bytes * 8_000) / bitsPerSecond;
    },
    setRate(rate) {
      bitsPerSecond = rate;
    },
    get bitsPerSecond() {
      return bitsPerSecond;
    },
  };
}
