/** RFC 9000 13.2.2: every second packet is acknowledged at once. */
const MAX_PACKETS = 2;
/** Far below the max_ack_delay of 25 ms that both ends reckon with (RFC 9000 18.2), and long enough for an answer. */
const MAX_DELAY_MS = 2;

/**
 * How long an acknowledgement may wait for something to travel with. The engine acknowledges whenever it is asked for
 * packets; an answer of the application comes some 0.1 ms later, and would need a second packet and wake the peer twice.
 */
export class AckDelay {
  #packets = 0;
  #sinceMs = 0;

  handlePacket(nowMs: number): void {
    if (this.#packets === 0) this.#sinceMs = nowMs;
    this.#packets += 1;
  }

  /** Everything that the engine had to say has left. */
  handleSent(): void {
    this.#packets = 0;
  }

  /** Whether something came in that may stay without an answer for now. */
  mayWait(nowMs: number): boolean {
    return this.#packets > 0 && this.#packets < MAX_PACKETS && nowMs < this.deadlineMs;
  }

  /** When the answer has to leave; infinity where there is nothing to answer. */
  get deadlineMs(): number {
    return this.#packets === 0 ? Number.POSITIVE_INFINITY : this.#sinceMs + MAX_DELAY_MS;
  }
}
