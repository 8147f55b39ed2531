/** Batches that may leave in each millisecond for long, and at once after a pause. */
const BATCHES_PER_MS = 5;
const BURST = 16;
/** Batches that the other thread may have in front of it: what it is too slow for comes in larger ones. */
const MAX_WAITING = 4;

/**
 * Decides whether a batch may leave for another thread. Each one wakes it, at some 10 us of its time: the rate bounds
 * what a stream of single datagrams costs it, and a thread that is behind gets larger batches instead of more.
 */
export class DeliveryGate {
  #tokens = BURST;
  #refilledMs = 0;
  #passed = 0;

  /**
   * Whether a batch may leave at `nowMs`, which counts as leaving. `taken` counts the batches that the other thread
   * has handled, and may wrap round at 32 bits.
   */
  tryPass(nowMs: number, taken: number): boolean {
    this.#tokens = Math.min(BURST, this.#tokens + Math.max(0, nowMs - this.#refilledMs) * BATCHES_PER_MS);
    this.#refilledMs = nowMs;
    if (this.#tokens < 1 || ((this.#passed - taken) | 0) >= MAX_WAITING) return false;
    this.#tokens -= 1;
    this.#passed = (this.#passed + 1) | 0;
    return true;
  }
}
