import { BlackHoleWatch } from "./black-hole-watch.js";
import { BASE_PACKET_BYTES, PacketSizeSearch } from "./packet-size-search.js";

/** A probe without news for so long is lost, in round trips and milliseconds (RFC 8899 5.1.1, PROBE_TIMER). */
const PROBE_ROUNDS = 4;
const PROBE_MS = 300;
/** When the peer allows no stream, or the window no packet of that size, it is tried again. */
const POSTPONED_MS = 100;
/** What a probe's packet holds beside the probe's stream, at most: headers, and frames that go first. */
const MAX_OVERHEAD_BYTES = 200;

/** Streams of bytes without meaning, which fill probes. */
export interface ProbeStreams {
  /** Queues `bytes` of padding and an end before all other streams; `undefined` where the peer takes none now. */
  open(bytes: number): number | undefined;
  /** Whether all of it has been acknowledged, or the peer said that it does not want it: either way it arrived. */
  hasArrived(id: number): boolean;
  /** What was not acknowledged yet will not be sent again. */
  abandon(id: number): void;
}

/** What the engine tells of a path. */
export interface PathTotals {
  readonly rttMs: number;
  /** Bytes of packets that were lost so far. */
  readonly lostBytes: number;
  /** Bytes on streams that were sent again so far. */
  readonly streamRetransBytes: number;
}

interface Probe {
  readonly bytes: number;
  readonly streamId: number;
  readonly sentMs: number;
  readonly retransBytes: number;
}

/**
 * The packet size of one path, kept right as the path changes: probes for more (`PacketSizeSearch`), and falls back
 * where what was used no longer gets through (`BlackHoleWatch`).
 *
 * The engine does not tell which packet was acknowledged. A probe is a packet filled by a stream of its own: where
 * that stream is complete without its bytes having been sent again, the packet has arrived. Bytes of other streams
 * that were sent again meanwhile make a probe look lost, never the other way round.
 */
export class PathMtu {
  readonly #search: PacketSizeSearch;
  readonly #watch = new BlackHoleWatch();
  #probe: Probe | undefined;
  #postponedUntilMs = 0;
  #lastReceivedMs = 0;
  /** Nothing has come since a probe was lost: it is the path that is gone, not the size. */
  #isDeaf = false;
  #lostBytes = 0;
  #rttMs = 0;

  constructor(
    readonly streams: ProbeStreams,
    limitBytes: number,
  ) {
    this.#search = new PacketSizeSearch(limitBytes);
  }

  /** The largest UDP payload to be sent, probes apart. */
  get packetBytes(): number {
    return this.#search.packetBytes;
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

  /**
   * Fills a probe of `bytes` and has it sent: `send` sends one packet into a buffer of that size and returns its
   * length.
   */
  sendProbe(bytes: number, nowMs: number, totals: PathTotals, send: () => number): void {
    const streamId = this.streams.open(bytes);
    const length = streamId === undefined ? 0 : send();
    if (streamId !== undefined && length === bytes) {
      this.#probe = { bytes, streamId, sentMs: nowMs, retransBytes: totals.streamRetransBytes };
      return;
    }
    if (streamId !== undefined) this.streams.abandon(streamId);
    this.#postponedUntilMs = nowMs + POSTPONED_MS;
  }

  /** A packet was sent that was no probe. */
  handleSent(bytes: number, nowMs: number): void {
    if (bytes > BASE_PACKET_BYTES) this.#watch.handleSent(bytes, nowMs, this.#lostBytes);
  }

  handleReceived(nowMs: number): void {
    this.#lastReceivedMs = nowMs;
    this.#isDeaf = false;
    this.#watch.handleReceived();
  }

  /** The engine sends on another path: its totals begin anew. `isElsewhere`: not only the port has changed. */
  handleNewPath(isElsewhere: boolean): void {
    if (this.#probe !== undefined) this.streams.abandon(this.#probe.streamId);
    this.#probe = undefined;
    this.#lostBytes = 0;
    this.#watch.reset();
    // RFC 9000 14.3 and 9.4: nothing is known of another path. A NAT's new port is on the old one.
    if (isElsewhere) this.#search.handleBlackHole();
  }

  /** Looks at what has become of the packets. Call it before sending, and after the first packet of a turn. */
  update(nowMs: number, totals: PathTotals): void {
    this.#lostBytes = totals.lostBytes;
    this.#rttMs = totals.rttMs;
    this.#judgeProbe(nowMs, totals);
    if (this.packetBytes <= BASE_PACKET_BYTES) return;
    if (!this.#watch.look(nowMs, totals.rttMs, totals.lostBytes)) return;
    this.#watch.reset();
    this.#search.handleBlackHole();
  }

  /** When `update` and `probeBytes` are worth a call again, whatever comes from the peer; later than `nowMs`. */
  deadlineMs(nowMs: number): number {
    if (this.#probe !== undefined) return this.#expiryMs(this.#probe);
    if (this.#isDeaf) return Number.POSITIVE_INFINITY;
    // What is due now and could not be sent waits for a turn that has room.
    const times = [this.#search.raiseAtMs, this.#postponedUntilMs].filter((atMs) => atMs > nowMs);
    return Math.min(...times, Number.POSITIVE_INFINITY);
  }

  #expiryMs({ sentMs }: Probe): number {
    return sentMs + PROBE_ROUNDS * this.#rttMs + PROBE_MS;
  }

  #judgeProbe(nowMs: number, totals: PathTotals): void {
    const probe = this.#probe;
    if (probe === undefined) return;
    const { bytes, streamId, sentMs, retransBytes } = probe;
    const wasSentAgain = totals.streamRetransBytes - retransBytes >= bytes - MAX_OVERHEAD_BYTES;
    if (!wasSentAgain && this.streams.hasArrived(streamId)) {
      this.#probe = undefined;
      this.#search.handleArrived(bytes, nowMs);
      this.#watch.reset();
      return;
    }
    if (!wasSentAgain && nowMs < this.#expiryMs(probe)) return;
    this.streams.abandon(streamId);
    this.#probe = undefined;
    this.#isDeaf = this.#lastReceivedMs < sentMs;
    this.#search.handleLost(bytes, nowMs);
  }
}
