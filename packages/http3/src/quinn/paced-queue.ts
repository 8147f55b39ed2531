/** Datagrams that may wait. */
const MAX_QUEUED = 512;
/** Bytes that may leave at once: half of what quinn holds (`datagram_send_buffer_size`, 1 MiB) before it drops. */
const BURST_BYTES = 1 << 19;
/** About twice what the engine carried on a quiet machine, so that this is never the bottleneck. */
const BYTES_PER_MS = 64_000;

/**
 * What stands before a buffer that drops its oldest datagrams without a word: a bounded queue which lets them go no
 * faster than any path of this engine could take them. A pure core: time comes in.
 */
export class PacedQueue {
  #waiting: Uint8Array[] = [];
  #tokens = BURST_BYTES;
  #filledAtMs: number | undefined;

  get length(): number {
    return this.#waiting.length;
  }

  /** Keeps the array itself; `false` where there is no room. */
  add(datagram: Uint8Array): boolean {
    if (this.#waiting.length >= MAX_QUEUED) return false;
    this.#waiting.push(datagram);
    return true;
  }

  /** Those that may leave now, in order. */
  take(nowMs: number): Uint8Array[] {
    const elapsedMs = Math.max(0, nowMs - (this.#filledAtMs ?? nowMs));
    this.#filledAtMs = nowMs;
    this.#tokens = Math.min(BURST_BYTES, this.#tokens + elapsedMs * BYTES_PER_MS);
    let count = 0;
    for (const datagram of this.#waiting) {
      if (this.#tokens <= 0) break;
      this.#tokens -= datagram.byteLength;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  clear(): void {
    this.#waiting = [];
  }
}
