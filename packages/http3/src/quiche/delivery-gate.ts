/** Batches that may leave in each millisecond for long, and at once after a pause. */
const BATCHES_PER_MS = 5;
const BURST = 16;
/** Batches that the other thread may have in front of it: what it is too slow for comes in larger ones. */
const MAX_WAITING = 4;
/** Datagrams that they hold with what sessions with much are given: so long does one wait at most for what was there before it. */
const MAX_WAITING_DATAGRAMS = 128;

/** Judges when batches may leave. */
export type Gate = Pick<DeliveryGate, "mayPass" | "room" | "pass">;

/** For a receiver on the same thread, which takes each batch as it leaves. */
export const OPEN_GATE: Gate = { mayPass: () => true, room: Number.POSITIVE_INFINITY, pass() {} };

/**
 * Decides whether a batch may leave for another thread. Each one wakes it, at some 10 us of its time: the rate bounds
 * what a stream of single datagrams costs it, and a thread that is behind gets larger batches instead of more.
 */
export class DeliveryGate {
  #tokens = BURST;
  #refilledMs = 0;
  #passed = 0;
  /** Datagrams in each batch that the other thread has not taken, the oldest first. */
  #sizes: number[] = [];
  #datagrams = 0;

  /**
   * Whether a batch may leave at `nowMs`: {@link pass} has to follow. `taken` counts the batches that the other thread
   * has taken, and may wrap round at 32 bits.
   */
  mayPass(nowMs: number, taken: number): boolean {
    this.#tokens = Math.min(BURST, this.#tokens + Math.max(0, nowMs - this.#refilledMs) * BATCHES_PER_MS);
    this.#refilledMs = nowMs;
    const waiting = (this.#passed - taken) | 0;
    while (this.#sizes.length > Math.max(0, waiting)) this.#datagrams -= this.#sizes.shift()!;
    return this.#tokens >= 1 && waiting < MAX_WAITING;
  }

  /** Datagrams for which the other thread has time, as of the last {@link mayPass}; 0 or less: for no more of whoever has many. */
  get room(): number {
    return MAX_WAITING_DATAGRAMS - this.#datagrams;
  }

  /** A batch with so many datagrams leaves. */
  pass(datagrams: number): void {
    this.#tokens -= 1;
    this.#passed = (this.#passed + 1) | 0;
    this.#sizes.push(datagrams);
    this.#datagrams += datagrams;
  }
}
