/** How often something may happen for one key. */
export interface Rate {
  /** In the long run. */
  readonly perSecond: number;
  /** At once after a pause. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/**
 * A token bucket for each key, in a table of bounded size. Where it is full the key that was not seen for the longest
 * time is forgotten: a key that paused for `burst / perSecond` has a full bucket, which is the same as none.
 */
export class RateTable {
  /** In the order in which they were last seen. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(
    readonly rate: Rate,
    readonly maxKeys: number,
  ) {}

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes a token of `key`, or says that there is none. */
  take(key: string, nowMs: number): boolean {
    const { perSecond, burst } = this.rate;
    const bucket = this.#buckets.get(key) ?? { tokens: burst, atMs: nowMs };
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, nowMs - bucket.atMs) * perSecond) / 1000);
    bucket.atMs = nowMs;
    const isAllowed = bucket.tokens >= 1;
    if (isAllowed) bucket.tokens -= 1;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.maxKeys) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    }
    return isAllowed;
  }
}
