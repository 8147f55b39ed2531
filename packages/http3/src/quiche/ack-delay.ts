/**
 * So many packets, or more than one with so many bytes, are acknowledged at once; other senders wait for ten (RFC 9000
 * 13.2.2 recommends two, and allows for more). Each acknowledgement costs both ends as much as a packet of data.
 */
const MAX_PACKETS = 8;
const MAX_BYTES = 12_000;
/** Of packets without data. */
const MAX_OTHERS = 2;
/** Far below the max_ack_delay of 25 ms that both ends reckon with (RFC 9000 18.2), and long enough for an answer. */
const MAX_DELAY_MS = 2;
/**
 * A shorter packet holds an acknowledgement, a ping or some credit. What holds a datagram of ours is longer: 1 byte, 16 of
 * connection id, 1 or more of packet number, 16 of authentication, 3 in front of the datagram, whose header has more
 * than 14.
 */
const LEAST_DATA_BYTES = 52;

/**
 * How long an acknowledgement may wait for something to travel with. The engine acknowledges whenever it is asked for
 * packets; an answer of the application comes some 0.1 ms later, and would need a second packet and wake the peer twice.
 */
export class AckDelay {
  /** Packets with data that nothing has answered. */
  #data = 0;
  #dataBytes = 0;
  /**
   * Others: one may keep data company, for it wants no answer (RFC 9000 13.2.1), or peers would answer acknowledgements
   * by packets of their own for ever; more of them open the window for what waits in the engine.
   */
  #others = 0;
  #sinceMs = 0;

  handlePacket(bytes: number, nowMs: number): void {
    if (bytes < LEAST_DATA_BYTES) {
      this.#others += 1;
      return;
    }
    if (this.#data === 0) this.#sinceMs = nowMs;
    this.#data += 1;
    this.#dataBytes += bytes;
  }

  /** Everything that the engine had to say has left. */
  handleSent(): void {
    this.#data = 0;
    this.#dataBytes = 0;
    this.#others = 0;
  }

  /** Whether something came in that may stay without an answer for now. */
  mayWait(nowMs: number): boolean {
    const isLittle = this.#data === 1 || (this.#data < MAX_PACKETS && this.#dataBytes < MAX_BYTES);
    const isFew = this.#data > 0 && isLittle && this.#others < MAX_OTHERS;
    return isFew && nowMs < this.deadlineMs;
  }

  /** When the answer has to leave; infinity where there is nothing to answer. */
  get deadlineMs(): number {
    return this.#data === 0 ? Number.POSITIVE_INFINITY : this.#sinceMs + MAX_DELAY_MS;
  }
}
