import type { Connection, PathStats, RecvInfo, SendInfo } from "@matrixai/quic/native/types.js";
import type { CloseInfo, TransportStats } from "@sluice/transport";
import { H3_CODE, H3Error } from "../h3/error.js";
import { isLocalPeer, packetLimit } from "../path-mtu/packet-limit.js";
import { BASE_PACKET_BYTES } from "../path-mtu/packet-size-search.js";
import { PathMtu } from "../path-mtu/path-mtu.js";
import { type ConnectionEvents, WebTransportConnection } from "../webtransport/connection.js";
import { AckDelay } from "./ack-delay.js";
import { describeClose } from "./close-info.js";
import { APPLICATION_PROTOCOL } from "./config.js";
import { DatagramFeed } from "./datagram-feed.js";
import { PathPacing } from "./path-pacing.js";
import { QuicheStreams } from "./quiche-streams.js";
import type { Address, UdpSocket } from "./udp-socket.js";

/** What one connection may send before others get their turn: no more than a receiver's socket holds. */
const MAX_BYTES_PER_TURN = 345_600;
/** Packets between two looks at the queues. */
const PACKETS_PER_ROUND = 64;
/** How often window, round-trip time and losses are looked at. */
const LOOK_MS = 5;
/** TLS alert bad_certificate as a QUIC error (RFC 9001 4.8, RFC 8446 6.2). */
const BAD_CERTIFICATE = 0x12a;
/** TLS alert no_application_protocol as a QUIC error (RFC 9001 8.1). */
const NO_APPLICATION_PROTOCOL = 0x178;
/** Smaller packets are acknowledgements and credit, which must not wait (RFC 9002 7.7). */
const MAX_CONTROL_BYTES = 200;
/**
 * What a packet holds beside a datagram and the peer's connection id: first byte, packet number and authentication tag
 * at their longest (RFC 9000 17.3.1, RFC 9001 5.3), type and length of the frame (RFC 9221 4).
 */
const DATAGRAM_OVERHEAD_BYTES = 1 + 4 + 16 + 1 + 2;
const RECEIVE_WINDOW_BYTES = 1 << 20;

/** What the endpoint that owns a connection learns of it. */
export interface QuicheConnectionEvents extends ConnectionEvents {
  /** The handshake is done; an error's message refuses the peer. */
  onEstablished(): string | undefined;
  /** The connection is gone; nothing of it remains in use. */
  onGone(info: CloseInfo): void;
  /** Something has to be done at `atMs` at the latest: call `turn` then. */
  onWake(atMs: number): void;
}

/** Drives one quiche connection: packets in, packets out, timers, and the WebTransport layer on top. */
export class QuicheConnection {
  readonly webTransport: WebTransportConnection;
  readonly datagrams: DatagramFeed;
  readonly streams: QuicheStreams;
  /** How many turns it had so far. */
  turns = 0;
  /** It was ended because no session was open in time. */
  hasRunOutOfTime = false;
  readonly #pacing = new PathPacing();
  readonly #mtu: PathMtu;
  /** Where the engine sends to; its figures of the path are for this address. */
  #peer: Address;
  readonly #receiveInfo: { from: Address; to: Address };
  readonly #acks = new AckDelay();
  #lookedMs = 0;
  /** Something happened since the last look at the path. */
  #isPathStale = false;
  /** A turn ended without the probe that was due in it. */
  #isProbeOverdue = false;
  /** Packets came, or the application can take more, since the last reading. */
  #hasUnread = false;
  /** The engine has something to say that must not wait. */
  #isDue = false;
  #lastPacketMs: number;
  /** When a client's first packet left, until the first one comes back. */
  #sinceStartMs: number | undefined;
  #isLocal: boolean;
  #engineDeadlineMs = Number.POSITIVE_INFINITY;
  #isEstablished = false;
  #isOver = false;
  #isClosing = false;
  /** The pacer or the socket stopped the last turn. */
  #isHeldBack = false;
  #lastReceivedMs: number;
  readonly #keepAliveMs: number;
  readonly #maxPacketBytes: number | undefined;
  /** Until when a session must be open. */
  readonly #openDeadlineMs: number;
  /** Why we ended it ourselves. */
  #verdict: CloseInfo | undefined;

  constructor(
    role: "client" | "server",
    readonly connection: Connection,
    readonly socket: UdpSocket,
    readonly events: QuicheConnectionEvents,
    options: {
      peer: Address;
      scratch: Uint8Array;
      nowMs: number;
      idleTimeoutMs: number;
      openTimeoutMs: number;
      maxPacketBytes: number | undefined;
      /** The peer is known to run on this machine. */
      isLocal: boolean;
    },
  ) {
    this.streams = new QuicheStreams(connection);
    this.webTransport = new WebTransportConnection(
      role,
      this.streams,
      { ...events, onCloseConnection: (h3Code, reason) => this.close(h3Code, reason) },
      RECEIVE_WINDOW_BYTES,
      options.scratch,
    );
    this.#receiveInfo = { from: options.peer, to: socket.local };
    this.#lastReceivedMs = options.nowMs;
    this.#lastPacketMs = options.nowMs;
    this.#sinceStartMs = role === "client" ? options.nowMs : undefined;
    this.#isLocal = options.isLocal;
    this.#maxPacketBytes = options.maxPacketBytes;
    this.#peer = options.peer;
    this.#mtu = new PathMtu(BASE_PACKET_BYTES);
    this.datagrams = new DatagramFeed(connection, BASE_PACKET_BYTES);
    this.#keepAliveMs = options.idleTimeoutMs / 3;
    this.#openDeadlineMs = options.nowMs + options.openTimeoutMs;
  }

  get isEstablished(): boolean {
    return this.#isEstablished;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Takes one packet; call `turn` once all waiting packets are in. */
  receive(packet: Uint8Array, from: Address, nowMs: number): void {
    const info = this.#receiveInfo;
    if (info.from.port !== from.port || info.from.host !== from.host)
      info.from = { host: from.host, port: from.port };
    if (this.#sinceStartMs !== undefined) this.#isLocal = isLocalPeer(from.host, nowMs - this.#sinceStartMs);
    this.#sinceStartMs = undefined;
    this.#lastReceivedMs = nowMs;
    this.#lastPacketMs = nowMs;
    this.#isPathStale = true;
    this.#acks.handlePacket(nowMs);
    this.#mtu.handleReceived(nowMs);
    this.#hasUnread = true;
    try {
      this.connection.recv(packet, info as RecvInfo);
    } catch {
      // Garbage, or a violation that quiche has turned into a close: what is left of the connection says it.
    }
  }

  /** Closes with an HTTP/3 error code, or without one while there is no HTTP/3 yet (RFC 9000 10.2.3). */
  close(h3Code: number, reason: string): void {
    this.#close(this.#isEstablished, this.#isEstablished ? h3Code : 0, reason);
  }

  #close(isApplication: boolean, code: number, reason: string): void {
    this.#isClosing = true;
    try {
      this.connection.close(isApplication, code, Buffer.from(reason));
    } catch {
      // Closed already.
    }
  }

  /** The application has changed something: what it has to read is read, and what it has to say is said at once. */
  handleNews(): void {
    this.#hasUnread = true;
    this.#isDue = true;
  }

  /** The first half of a turn: timers and reading. */
  read(nowMs: number): void {
    if (this.#isOver) return;
    this.turns += 1;
    if (this.#mtu.isProbing) this.#look(nowMs);
    if (nowMs >= this.#engineDeadlineMs) {
      this.#isDue = true;
      this.connection.onTimeout();
    }
    if (!this.#isEstablished && !this.#isClosing) this.#handshake(nowMs);
    // What came in front of the peer's close is still read.
    if (this.#isEstablished) this.#exchange(nowMs);
    this.#checkDeadline(nowMs);
  }

  /** The second half: sending. Calls `onWake` with the time of the next turn. */
  send(nowMs: number): void {
    if (this.#isOver) return;
    const { connection } = this;
    const more = this.#sendPackets(nowMs);
    // The engine can hold back its own close; it has had its chance.
    const isStuck = this.#isClosing && !more && !this.#isHeldBack;
    if (connection.isClosed() || connection.isDraining() || isStuck) {
      this.#finish();
      return;
    }
    const timeoutMs = connection.timeout();
    // The engine cuts its timeout down to whole milliseconds: one more, or it is asked too early.
    this.#engineDeadlineMs = timeoutMs === null ? Number.POSITIVE_INFINITY : nowMs + timeoutMs + 1;
    this.events.onWake(more ? nowMs : this.#nextDeadlineMs(nowMs));
  }

  stats(): TransportStats {
    const total = this.connection.stats();
    const path = this.#activePath();
    return {
      rttMs: path === undefined ? undefined : path.rtt + 0.5, // cut down to whole milliseconds by the binding
      congestionWindowBytes: path?.cwnd,
      deliveryRateBitsPerSecond: path === undefined ? undefined : path.deliveryRate * 8,
      packetsSent: total.sent,
      packetsLost: total.lost,
      bytesSent: total.sentBytes,
      bytesReceived: total.recvBytes,
      datagramsQueued: this.connection.dgramSendQueueLen(),
      datagramsDroppedOutgoing: this.datagrams.dropped,
      datagramsDroppedIncoming: this.webTransport.droppedDatagrams,
    };
  }

  /** Largest datagram that a session can send now. */
  maxDatagramBytes(prefixBytes: number): number {
    return Math.max(0, this.#maxDatagramBytes() - prefixBytes);
  }

  #maxDatagramBytes(): number {
    const { connection } = this;
    const overhead = DATAGRAM_OVERHEAD_BYTES + connection.destinationId().byteLength;
    // The engine reckons with its own largest packet, and ours are smaller; what it knows of is the peer's limit.
    return Math.min(connection.dgramMaxWritableLen() ?? 0, this.#mtu.packetBytes - overhead);
  }

  #handshake(nowMs: number): void {
    if (this.connection.isEstablished()) {
      if (Buffer.from(this.connection.applicationProto()).toString() !== APPLICATION_PROTOCOL) {
        // The engine goes on without a protocol where the peers agree on none (RFC 9114 3.1, RFC 9001 8.1).
        this.#sendPackets(nowMs);
        this.#close(false, NO_APPLICATION_PROTOCOL, `only ${APPLICATION_PROTOCOL} is spoken here`);
        return;
      }
      const refusal = this.events.onEstablished();
      if (refusal === undefined) {
        this.#isEstablished = true;
        return;
      }
      // The peer understands the close only after our last handshake message, which the engine does not send
      // any more once it is closing.
      this.#sendPackets(nowMs);
      this.#close(false, BAD_CERTIFICATE, refusal);
    }
  }

  /** A peer that shakes hands and then opens no session, or does neither, must not stay. */
  #checkDeadline(nowMs: number): void {
    if (nowMs < this.#openDeadlineMs || this.webTransport.hasOpened) return;
    this.hasRunOutOfTime = true;
    const reason = this.#isEstablished ? "the session request timed out" : "the handshake timed out";
    this.#verdict ??= { code: 0, reason, by: "transport" };
    this.close(H3_CODE.NO_ERROR, reason);
  }

  #exchange(nowMs: number): void {
    const { webTransport } = this;
    try {
      if (this.#hasUnread) webTransport.handleReadable(nowMs);
      this.#hasUnread = false;
    } catch (error) {
      // A violation closes this connection, and only this one.
      if (error instanceof H3Error) this.close(error.code, error.message);
      else this.close(H3_CODE.INTERNAL_ERROR, String(error));
      this.#verdict = { code: 0, reason: `closed on a protocol error: ${String(error)}`, by: "transport" };
      return;
    }
    webTransport.handleTimeout(nowMs);
    if (nowMs - this.#lastReceivedMs >= this.#keepAliveMs) {
      this.#lastReceivedMs = nowMs; // One probe each interval; the engine's own idle timeout judges.
      this.connection.sendAckEliciting();
      this.#isDue = true;
    }
  }

  /** Returns whether there is more to send at once. */
  #sendPackets(nowMs: number): boolean {
    this.#look(nowMs);
    this.#isHeldBack = false;
    for (let sentBytes = 0; sentBytes < MAX_BYTES_PER_TURN; ) {
      const isProbeDue = this.#isProbeDue(nowMs);
      this.#isProbeOverdue &&= isProbeDue;
      if (isProbeDue && this.#isProbeOverdue) this.#sendProbe(nowMs);
      const wasFed = this.#isEstablished && this.#feed(nowMs);
      const hasDatagrams = this.connection.dgramSendQueueLen() > 0;
      const isQuiet = this.webTransport.hasOpened && !this.#isClosing && !this.#isDue && !isProbeDue;
      if (isQuiet && !wasFed && !hasDatagrams && this.#acks.mayWait(nowMs)) return false;
      for (let i = 0; i < PACKETS_PER_ROUND; i++) {
        if (this.#pacing.budgetBytes(nowMs) <= 0 || this.socket.isCongested) {
          this.#isHeldBack = true;
          this.#isProbeOverdue = isProbeDue;
          return false;
        }
        const length = this.#sendPacket(this.#mtu.packetBytes);
        this.#acks.handleSent();
        this.#isDue = false;
        if (length === 0) {
          if (this.connection.dgramSendQueueLen() === 0 && this.datagrams.isWaiting) break;
          if (this.#isProbeDue(nowMs)) this.#sendProbe(nowMs);
          return false;
        }
        this.#mtu.handleSent(length, nowMs);
        if (hasDatagrams || length > MAX_CONTROL_BYTES) this.#pacing.handleSent(length);
        sentBytes += length;
      }
    }
    this.#isProbeOverdue = this.#isProbeDue(nowMs);
    return true;
  }

  #isProbeDue(nowMs: number): boolean {
    return this.#isEstablished && !this.#isClosing && this.#mtu.probeBytes(nowMs) !== undefined;
  }

  /** Sends a probe, unless datagrams wait in the engine: they would travel in it, and be lost with it. */
  #sendProbe(nowMs: number): void {
    if (this.connection.dgramSendQueueLen() > 0) return;
    this.#isProbeOverdue = false;
    const bytes = this.#mtu.probeBytes(nowMs);
    if (bytes === undefined) return;
    // The window may be too small for it, and something else may wait on the padding's stream.
    const isSent = this.webTransport.pad(bytes) && this.#sendPacket(bytes) === bytes;
    if (isSent) this.#mtu.handleProbeSent(bytes, nowMs);
    else this.#mtu.postponeProbe(nowMs);
  }

  /** Sends what the engine makes of at most `maxBytes`; returns the packet's length, 0 where it has nothing. */
  #sendPacket(maxBytes: number): number {
    const buffer = this.socket.nextBuffer(maxBytes);
    const result = this.#nextPacket(buffer);
    if (result === undefined) return 0;
    this.socket.send(buffer, result[0], result[1].to, !this.#isEstablished);
    return result[0];
  }

  #nextPacket(buffer: Uint8Array): [length: number, info: SendInfo] | undefined {
    try {
      return this.connection.send(buffer) ?? undefined;
    } catch (error) {
      this.#verdict ??= { code: 0, reason: `QUIC: ${String(error)}`, by: "transport" };
      this.close(H3_CODE.INTERNAL_ERROR, "");
      return undefined;
    }
  }

  /** Hands the engine what it takes; `false` where no stream had anything. Datagrams are in its queue then. */
  #feed(nowMs: number): boolean {
    const hadStreamData = this.webTransport.flush(nowMs);
    // An overdue probe waits until no datagram is left in the engine.
    if (!this.#isProbeOverdue) this.datagrams.fill();
    return hadStreamData;
  }

  #activePath(): PathStats | undefined {
    return this.connection.pathStats().find(({ active }) => active);
  }

  /**
   * The engine says how much may be sent on a stream, which is what its window has left when the last packet came in,
   * unless flow control leaves less; more than the window, after a timeout, says nothing.
   */
  #inFlightBytes(windowBytes: number): number | undefined {
    const left = this.streams.capacity(this.webTransport.controlId);
    return left === undefined || left > windowBytes ? undefined : windowBytes - left;
  }

  /** Looks at the path from time to time, and each time while a probe is under way. */
  #look(nowMs: number): void {
    const isTime = nowMs - this.#lookedMs >= LOOK_MS;
    if (!this.#isEstablished || (!isTime && !this.#mtu.isProbing)) return;
    const path = this.#activePath();
    if (path === undefined) return;
    const { connection } = this;
    const { host, port } = path.peerHost;
    if (host !== this.#peer.host || port !== this.#peer.port) {
      this.#mtu.handleNewPath(host !== this.#peer.host);
      this.#peer = { host, port };
    }
    const windowUnitBytes = connection.maxSendUdpPayloadSize();
    const limitBytes = packetLimit(host, this.#isLocal, this.#maxPacketBytes);
    this.#mtu.setLimit(Math.min(windowUnitBytes, limitBytes));
    this.#mtu.update(nowMs, {
      rttMs: path.rtt,
      lostBytes: path.lostBytes,
      inFlightBytes: this.#inFlightBytes(path.cwnd),
    });
    this.datagrams.setMaxBytes(this.#maxDatagramBytes());
    if (!isTime) return;
    this.#lookedMs = nowMs;
    this.#isPathStale = false;
    const facts = { isHeldBack: this.#isHeldBack, lastReceivedMs: this.#lastPacketMs, windowUnitBytes };
    if (!this.#pacing.update(nowMs, path, facts)) return;
    connection.sendAckEliciting();
    this.#isDue = true;
  }

  #nextDeadlineMs(nowMs: number): number {
    return Math.min(
      this.#engineDeadlineMs,
      this.#acks.deadlineMs,
      this.webTransport.nextTimeoutMs ?? Number.POSITIVE_INFINITY,
      this.#isEstablished ? this.#lastReceivedMs + this.#keepAliveMs : Number.POSITIVE_INFINITY,
      this.webTransport.hasOpened ? Number.POSITIVE_INFINITY : this.#openDeadlineMs,
      this.#isHeldBack ? nowMs + 1 : Number.POSITIVE_INFINITY,
      this.#isPathStale ? this.#lookedMs + LOOK_MS : Number.POSITIVE_INFINITY,
      this.#isEstablished ? this.#mtu.deadlineMs(nowMs) : Number.POSITIVE_INFINITY,
    );
  }

  #finish(): void {
    this.#isOver = true;
    const info = this.#verdict ?? describeClose(this.connection);
    this.webTransport.abort(info);
    this.events.onGone(info);
  }
}
