/** Decides when the next datagram may leave: a leaky bucket in time, so that no timer has to be exact. */
export interface Pacer {
  /** When the next datagram may leave, in milliseconds; in the past where it may leave at once. */
  readyAtMs(): number;
  sent(bytes: number, nowMs: number): void;
  /** Something is to be sent where nothing was: only from here on is lost time made up for. */
  resume(nowMs: number): void;
  setRate(bitsPerSecond: number): void;
  readonly bitsPerSecond: number;
}

/** What may leave at once after a pause. Timers of browsers and of Node are a few milliseconds coarse. */
const burstMs = 4;
/** Where a timer was late, or the process had no core, so much of the time is made up for: the path had room meanwhile. */
const catchUpMs = 20;
/** A burst of some datagrams shows the rate of the bottleneck (`bandwidth-estimator.ts`), however slow the pace is. */
const burstDatagrams = 8;
const commonDatagramBytes = 1_200;
/** Datagrams above it are of paths within one machine, where a burst in bytes would be a single one and show nothing. */
const largestOfNetworks = 1_500;

export function createPacer(initialBitsPerSecond: number): Pacer {
  let bitsPerSecond = initialBitsPerSecond;
  let freeAtMs = Number.NEGATIVE_INFINITY;
  let datagramBytes = commonDatagramBytes;
  return {
    readyAtMs: () => freeAtMs - Math.max(burstMs, (burstDatagrams * datagramBytes * 8_000) / bitsPerSecond),
    sent(bytes, nowMs) {
      if (bytes > largestOfNetworks) datagramBytes = Math.max(datagramBytes, bytes);
      freeAtMs = Math.max(freeAtMs, nowMs - catchUpMs) + (bytes * 8_000) / bitsPerSecond;
    },
    resume(nowMs) {
      freeAtMs = Math.max(freeAtMs, nowMs);
    },
    setRate(rate) {
      bitsPerSecond = rate;
    },
    get bitsPerSecond() {
      return bitsPerSecond;
    },
  };
}
