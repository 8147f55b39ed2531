import { BlackHoleWatch } from "./black-hole-watch.js";
import { BASE_PACKET_BYTES, PacketSizeSearch } from "./packet-size-search.js";

/** A probe without news for so long is lost, in round trips and milliseconds (RFC 8899 5.1.1, PROBE_TIMER). */
const PROBE_ROUNDS = 4;
const PROBE_MS = 300;
/** When flow control or the window has no room for a probe, it is tried again. */
const POSTPONED_MS = 100;
/** The engine takes a packet for lost once so many after it were acknowledged, at the most (quiche: 3 to 20). */
const MAX_REORDERED_PACKETS = 20;

/** What the engine tells of a path. */
export interface PathTotals {
  readonly rttMs: number;
  /** Bytes of packets that were lost so far. */
  readonly lostBytes: number;
  /** Bytes on their way when the last packet came in; `undefined` where the engine does not know. */
  readonly inFlightBytes: number | undefined;
}

interface Probe {
  readonly bytes: number;
  readonly sentMs: number;
  /** What was sent after it. */
  sentBytes: number;
  /** Of which was lost. */
  lostBytes: number;
}

/**
 * The packet size of one path, kept right as the path changes: probes for more (`PacketSizeSearch`), and falls back
 * where what was used no longer gets through (`BlackHoleWatch`).
 *
 * The engine does not tell which packet was acknowledged or lost, only how much. A probe is larger than all other
 * packets, so a loss of less is none of its own; and it has arrived where less than it is on the way, or where so much
 * after it was acknowledged that it would count as lost. What is not certain counts as lost: a size too small costs
 * little.
 */
export class PathMtu {
  readonly #search: PacketSizeSearch;
  readonly #watch = new BlackHoleWatch();
  #probe: Probe | undefined;
  #postponedUntilMs = 0;
  #lastReceivedMs = 0;
  /** A packet came since the last look: what is in flight is known. */
  #hasNews = false;
  /** Nothing has come since a probe was lost: it is the path that is gone, not the size. */
  #isDeaf = false;
  #lostBytes = 0;
  /** Of which were probes. */
  #lostProbeBytes = 0;
  #rttMs = 0;
  #leastRoundTripMs = Number.POSITIVE_INFINITY;

  constructor(limitBytes: number) {
    this.#search = new PacketSizeSearch(limitBytes);
  }

  /** The largest UDP payload to be sent, probes apart. */
  get packetBytes(): number {
    return this.#search.packetBytes;
  }

  /** The quickest of the probes was known to have arrived after so long; infinity before the first one. */
  get leastRoundTripMs(): number {
    return this.#leastRoundTripMs;
  }

  get isProbing(): boolean {
    return this.#probe !== undefined;
  }

  setLimit(limitBytes: number): void {
    this.#search.setLimit(limitBytes);
  }

  /** The size of the probe to be sent now, or `undefined`. */
  probeBytes(nowMs: number): number | undefined {
    if (this.#probe !== undefined || this.#isDeaf || nowMs < this.#postponedUntilMs) return undefined;
    return this.#search.probeBytes(nowMs);
  }

  /** A probe of `bytes` was sent. */
  handleProbeSent(bytes: number, nowMs: number): void {
    this.#probe = { bytes, sentMs: nowMs, sentBytes: 0, lostBytes: 0 };
    this.#hasNews = false;
  }

  /** The probe that was due could not be sent as a whole. */
  postponeProbe(nowMs: number): void {
    this.#postponedUntilMs = nowMs + POSTPONED_MS;
  }

  /** A packet was sent that was no probe. */
  handleSent(bytes: number, nowMs: number): void {
    if (this.#probe !== undefined) this.#probe.sentBytes += bytes;
    if (bytes > BASE_PACKET_BYTES)
      this.#watch.handleSent(bytes, nowMs, this.#lostBytes - this.#lostProbeBytes);
  }

  handleReceived(nowMs: number): void {
    this.#lastReceivedMs = nowMs;
    this.#hasNews = true;
    this.#isDeaf = false;
    this.#watch.handleReceived();
  }

  /** The engine sends on another path: its totals begin anew. `isElsewhere`: not only the port has changed. */
  handleNewPath(isElsewhere: boolean): void {
    this.#probe = undefined;
    this.#lostBytes = 0;
    this.#lostProbeBytes = 0;
    this.#watch.reset();
    // RFC 9000 14.3 and 9.4: nothing is known of another path. A NAT's new port is on the old one.
    if (isElsewhere) this.#search.handleBlackHole();
  }

  /** Looks at what has become of the packets. Call it after packets came in, before the engine's timers, and after. */
  update(nowMs: number, totals: PathTotals): void {
    const { rttMs, lostBytes, inFlightBytes } = totals;
    const lostNow = lostBytes - this.#lostBytes;
    this.#lostBytes = lostBytes;
    this.#rttMs = rttMs;
    this.#judgeProbe(nowMs, lostNow, this.#hasNews ? inFlightBytes : undefined);
    this.#hasNews = false;
    if (this.packetBytes <= BASE_PACKET_BYTES) return;
    if (!this.#watch.look(nowMs, rttMs, lostBytes - this.#lostProbeBytes)) return;
    this.#watch.reset();
    this.#search.handleBlackHole();
  }

  /** When `update` and `probeBytes` are worth a call again, whatever comes from the peer; later than `nowMs`. */
  deadlineMs(nowMs: number): number {
    if (this.#probe !== undefined) return this.#expiryMs(this.#probe);
    if (this.#isDeaf) return Number.POSITIVE_INFINITY;
    // What is due now and could not be sent waits for a turn that has room.
    const postponedMs = this.#postponedUntilMs > nowMs ? this.#postponedUntilMs : Number.POSITIVE_INFINITY;
    return this.#search.raiseAtMs > nowMs ? Math.min(this.#search.raiseAtMs, postponedMs) : postponedMs;
  }

  #expiryMs({ sentMs }: Probe): number {
    return sentMs + PROBE_ROUNDS * this.#rttMs + PROBE_MS;
  }

  #judgeProbe(nowMs: number, lostNow: number, inFlightBytes: number | undefined): void {
    const probe = this.#probe;
    if (probe === undefined) return;
    const { bytes, sentMs, sentBytes } = probe;
    probe.lostBytes += lostNow;
    const isLost = lostNow >= bytes || nowMs >= this.#expiryMs(probe);
    if (!isLost && inFlightBytes === undefined) return;
    // Of what was sent after it; what is in flight may be older.
    const acknowledged = sentBytes - probe.lostBytes - (inFlightBytes ?? 0);
    const isBehind = acknowledged > MAX_REORDERED_PACKETS * this.packetBytes;
    if (!isLost && (inFlightBytes ?? 0) >= bytes && !isBehind) return;
    this.#probe = undefined;
    if (isLost) {
      this.#isDeaf = this.#lastReceivedMs < sentMs;
      this.#lostProbeBytes += bytes;
      this.#search.handleLost(bytes, nowMs);
      return;
    }
    this.#leastRoundTripMs = Math.min(this.#leastRoundTripMs, nowMs - sentMs);
    this.#search.handleArrived(bytes, nowMs);
    this.#watch.reset();
  }
}
