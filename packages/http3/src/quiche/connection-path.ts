import type { Connection, PathStats } from "@matrixai/quic/native/types.js";
import { isLocalPeer, packetLimit } from "../path-mtu/packet-limit.js";
import { BASE_PACKET_BYTES } from "../path-mtu/packet-size-search.js";
import { PathMtu } from "../path-mtu/path-mtu.js";
import { PathPacing } from "./path-pacing.js";
import type { QuicheStreams } from "./quiche-streams.js";
import type { Address } from "./udp-socket.js";

/** How often window, round-trip time and losses are looked at. */
const LOOK_MS = 5;
/** And where no more packets than these went since the last look: asking the engine costs as much as one of them. */
const QUIET_PACKETS = 8;
const QUIET_LOOK_MS = 25;
/**
 * A path that has lost nothing at so many looks is looked at in turns that come anyway, and for a turn's sake only after
 * so long: what a look finds out that cannot wait is a loss.
 */
const CALM_LOOKS = 40;
const CALM_LOOK_MS = 200;
/** Between processes of one machine, where nothing is paced, a calm path may be looked at less often in turns that come anyway. */
const CALM_LOCAL_LOOK_MS = 25;
/**
 * What a packet holds beside a datagram and the peer's connection id: first byte, packet number and authentication tag
 * at their longest (RFC 9000 17.3.1, RFC 9001 5.3), type and length of the frame (RFC 9221 4).
 */
const DATAGRAM_OVERHEAD_BYTES = 1 + 4 + 16 + 1 + 2;

/** What is known of the peer when a connection begins. */
export interface PathOptions {
  readonly peer: Address;
  /** See `QuicOptions`. */
  readonly maxPacketBytes: number | undefined;
  /** See `interfaceMtu`. */
  readonly interfaceMtuBytes: number | undefined;
  /** When a client began: the time to its first answer is a round trip. `undefined` for servers. */
  readonly askedMs: number | undefined;
}

/** The way to the peer: where it is, how large packets may be, how fast they may leave. */
export class ConnectionPath {
  readonly mtu = new PathMtu(BASE_PACKET_BYTES);
  readonly #pacing = new PathPacing();
  /** Where the engine sends to; its figures of the path are for this address. */
  #peer: Address;
  /** The peer is known to run on this machine. */
  #isLocal = false;
  /** Since when a round trip is measured. */
  #askedMs: number | undefined;
  #lookedMs = 0;
  #lastReceivedMs = 0;
  /** Something came since the last look. */
  #isStale = false;
  /** Packets of both ways since the last look. */
  #packets = 0;
  /** Since something was lost, or the path has changed. */
  #looksWithoutLoss = 0;
  /** What the last look saw. */
  #seen: PathStats | undefined;
  /** See `packetLimit`; `undefined` once what it depends on has changed. */
  #limitBytes: number | undefined;

  constructor(
    readonly connection: Connection,
    readonly streams: QuicheStreams,
    /** A stream of ours that always is there. */
    readonly controlId: number,
    readonly options: PathOptions,
  ) {
    this.#peer = options.peer;
    this.#askedMs = options.askedMs;
  }

  get isLocal(): boolean {
    return this.#isLocal;
  }

  /** The longest datagram that a packet holds now, HTTP/3's prefix included. */
  get maxDatagramBytes(): number {
    const { connection, mtu } = this;
    const overhead = DATAGRAM_OVERHEAD_BYTES + connection.destinationId().byteLength;
    // The engine reckons with its own largest packet, and ours are smaller; what it knows of is the peer's limit.
    return Math.min(connection.dgramMaxWritableLen() ?? 0, mtu.packetBytes - overhead);
  }

  handleReceived(from: Address, nowMs: number): void {
    if (this.#askedMs !== undefined) {
      this.#isLocal ||= isLocalPeer(from.host, nowMs - this.#askedMs);
      this.#limitBytes = undefined;
    }
    this.#askedMs = undefined;
    this.#lastReceivedMs = nowMs;
    this.#isStale = true;
    this.#packets += 1;
    this.mtu.handleReceived(nowMs);
  }

  /** A packet was sent. `isPaced`: it carries data. */
  handleSent(bytes: number, isPaced: boolean, nowMs: number): void {
    this.#packets += 1;
    this.mtu.handleSent(bytes, nowMs);
    if (isPaced) this.#pacing.handleSent(bytes);
  }

  /** Bytes that may leave at `nowMs`; at most 0 means wait. */
  budgetBytes(nowMs: number): number {
    return this.#pacing.budgetBytes(nowMs);
  }

  /** As of the last look, which follows a packet soon. */
  stats(): PathStats | undefined {
    return this.#seen ?? this.#ask();
  }

  #ask(): PathStats | undefined {
    return this.connection.pathStats().find(({ active }) => active);
  }

  get #nextLookMs(): number {
    const isCalm = this.#isLocal && this.#looksWithoutLoss >= CALM_LOOKS;
    const busyMs = isCalm ? CALM_LOCAL_LOOK_MS : LOOK_MS;
    return this.#lookedMs + (this.#packets > QUIET_PACKETS ? busyMs : QUIET_LOOK_MS);
  }

  /**
   * Looks at the path from time to time, and each time while a probe is under way; before the engine's timers as well,
   * after which it is no longer known what is in flight. Returns whether something has to be sent that will be
   * acknowledged. `isHeldBack`: pacer or socket stopped the last turn.
   */
  look(nowMs: number, isHeldBack: boolean): boolean {
    const { connection, mtu } = this;
    const isTime = nowMs >= this.#nextLookMs || this.#limitBytes === undefined;
    const path = isTime || mtu.isProbing ? this.#ask() : undefined;
    if (path === undefined) return false;
    this.#looksWithoutLoss = path.lost === this.#seen?.lost ? this.#looksWithoutLoss + 1 : 0;
    this.#seen = path;
    this.#follow(path.peerHost);
    if (!this.#isLocal) {
      this.#isLocal = isLocalPeer(this.#peer.host, Math.min(path.rtt, mtu.leastRoundTripMs));
      if (this.#isLocal) this.#limitBytes = undefined;
    }
    const windowUnitBytes = connection.maxSendUdpPayloadSize();
    const { maxPacketBytes, interfaceMtuBytes } = this.options;
    this.#limitBytes ??= packetLimit(this.#peer.host, this.#isLocal, maxPacketBytes, interfaceMtuBytes);
    mtu.setLimit(Math.min(windowUnitBytes, this.#limitBytes));
    const inFlightBytes = this.#inFlightBytes(path.cwnd);
    mtu.update(nowMs, { rttMs: path.rtt, lostBytes: path.lostBytes, inFlightBytes });
    if (!isTime) return false;
    this.#lookedMs = nowMs;
    this.#isStale = false;
    this.#packets = 0;
    return this.#pacing.update(nowMs, path, {
      isHeldBack,
      lastReceivedMs: this.#lastReceivedMs,
      windowUnitBytes,
    });
  }

  /** When it has to be looked at, later than `nowMs`. */
  deadlineMs(nowMs: number): number {
    const isCalm = this.#looksWithoutLoss >= CALM_LOOKS && this.#packets <= QUIET_PACKETS;
    const lookMs = isCalm ? this.#lookedMs + CALM_LOOK_MS : this.#nextLookMs;
    return Math.min(this.#isStale ? lookMs : Number.POSITIVE_INFINITY, this.mtu.deadlineMs(nowMs));
  }

  /** RFC 9000 9.3: the peer may have another address, or its NAT has given it another port. */
  #follow({ host, port }: Address): void {
    if (host === this.#peer.host && port === this.#peer.port) return;
    this.mtu.handleNewPath(host !== this.#peer.host);
    this.#peer = { host, port };
    this.#limitBytes = undefined;
  }

  /**
   * The engine says how much may be sent on a stream, which is what its window had left when the last packet came in,
   * unless flow control leaves less; more than the window, after a timeout, says nothing.
   */
  #inFlightBytes(windowBytes: number): number | undefined {
    const left = this.streams.capacity(this.controlId);
    return left === undefined || left > windowBytes ? undefined : windowBytes - left;
  }
}
