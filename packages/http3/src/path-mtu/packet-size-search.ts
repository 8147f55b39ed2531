/** RFC 9000 14.1: every path that QUIC can use carries UDP payloads of this size. */
export const BASE_PACKET_BYTES = 1200;
/** Nearly every path carries this much, tunnels included: the first size to be tried. */
export const COMMON_PACKET_BYTES = 1350;
/**
 * Sizes at which paths end, in bytes of UDP payload: IPv6's least MTU of 1,280; Ethernet under IPv6 and IPv4; Ethernet
 * with jumbo frames of 9,000; loopback, where a packet of 15,872 with the kernel's own data just fits 16 KiB of memory.
 */
const LEVELS = [1232, COMMON_PACKET_BYTES, 1452, 1472, 8952, 15_872];
/** Above Ethernet there is nothing to be found between the levels. */
const MAX_BISECTED_BYTES = 1472;
/** Closer than this is close enough. */
const GRANULARITY_BYTES = 16;
/** RFC 8899 5.1.2, MAX_PROBES: so many in a row are no random loss. */
const MAX_PROBES = 3;
/** PMTU_RAISE_TIMER (RFC 8899 5.1.1) is 600 s in the end; what was only out of order is found out before. */
const FIRST_RAISE_MS = 2000;
const LAST_RAISE_MS = 600_000;

/**
 * Which packet sizes a path carries: the search of Datagram Packetization Layer PMTU Discovery (RFC 8899 5.2 and 5.3,
 * RFC 9000 14.3), without I/O. It starts at 1,200 bytes, asks for one probe at a time, and is told what became of it.
 */
export class PacketSizeSearch {
  #packetBytes = BASE_PACKET_BYTES;
  /** The least size that failed; infinity where none has. */
  #failedBytes = Number.POSITIVE_INFINITY;
  #limitBytes: number;
  /** Probes of the present candidate that were lost. */
  #lost = 0;
  #raiseMs = FIRST_RAISE_MS;
  /** When a search that has ended begins anew; `undefined` while it goes on. */
  #raiseAtMs: number | undefined;
  /** What is to be tried next: it is asked for with every packet, and changes with a probe's end. */
  #candidateBytes: number | undefined;

  /** `limitBytes`: the largest size that may be tried; below 1,200 nothing is. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
    this.#candidateBytes = this.#findCandidate();
  }

  /** The largest UDP payload that the path is known to carry, in bytes. */
  get packetBytes(): number {
    return this.#packetBytes;
  }

  /** The size to be tried at `nowMs`, or `undefined`. */
  probeBytes(nowMs: number): number | undefined {
    if (this.#raiseAtMs !== undefined) {
      if (nowMs < this.#raiseAtMs) return undefined;
      this.#raiseAtMs = undefined;
      this.#failedBytes = Number.POSITIVE_INFINITY;
      this.#candidateBytes = this.#findCandidate();
    }
    return this.#candidateBytes;
  }

  /** When `probeBytes` has something to say again; infinity where nothing is left to be found. */
  get raiseAtMs(): number {
    return this.#raiseAtMs ?? Number.POSITIVE_INFINITY;
  }

  /** The limit may grow: a peer turns out to be near. What was found before stays. */
  setLimit(limitBytes: number): void {
    if (limitBytes === this.#limitBytes) return;
    if (limitBytes > this.#limitBytes) this.#raiseAtMs = undefined;
    this.#limitBytes = limitBytes;
    this.#candidateBytes = this.#findCandidate();
  }

  /** A probe of `bytes` has arrived. */
  handleArrived(bytes: number, nowMs: number): void {
    this.#lost = 0;
    if (bytes <= this.#packetBytes) return;
    this.#packetBytes = bytes;
    this.#raiseMs = FIRST_RAISE_MS;
    this.#settle(nowMs);
  }

  /** A probe of `bytes` is lost. */
  handleLost(bytes: number, nowMs: number): void {
    this.#lost += 1;
    if (this.#lost < MAX_PROBES) return;
    this.#lost = 0;
    this.#failedBytes = Math.min(this.#failedBytes, bytes);
    this.#settle(nowMs);
  }

  /** Packets of the present size do not arrive any more (RFC 8899 4.3): back to the base, and on from there. */
  handleBlackHole(): void {
    this.#packetBytes = BASE_PACKET_BYTES;
    this.#failedBytes = Number.POSITIVE_INFINITY;
    this.#lost = 0;
    this.#raiseMs = FIRST_RAISE_MS;
    this.#raiseAtMs = undefined;
    this.#candidateBytes = this.#findCandidate();
  }

  #settle(nowMs: number): void {
    this.#candidateBytes = this.#findCandidate();
    if (this.#candidateBytes !== undefined || this.#packetBytes >= this.#limitBytes) return;
    this.#raiseAtMs = nowMs + this.#raiseMs;
    this.#raiseMs = Math.min(LAST_RAISE_MS, this.#raiseMs * 2);
  }

  #findCandidate(): number | undefined {
    const low = this.#packetBytes;
    const end = Math.min(this.#failedBytes, this.#limitBytes + 1);
    const fits = (bytes: number) => bytes > low && bytes < end;
    // Soon good enough, then the largest first: a path that ends at a level is measured with one probe.
    if (low < COMMON_PACKET_BYTES && fits(COMMON_PACKET_BYTES)) return COMMON_PACKET_BYTES;
    if (fits(this.#limitBytes)) return this.#limitBytes;
    const level = LEVELS.findLast(fits);
    if (level !== undefined) return level;
    const middle = Math.floor((low + end) / 2);
    const isOpen = end - low > GRANULARITY_BYTES && low < MAX_BISECTED_BYTES;
    return isOpen && fits(middle) ? middle : undefined;
  }
}
