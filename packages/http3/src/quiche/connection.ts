import type { Connection, RecvInfo } from "@matrixai/quic/native/types.js";
import type { CloseInfo, TransportStats } from "@sluice/transport";
import { H3_CODE, H3Error } from "../h3/error.js";
import { BASE_PACKET_BYTES } from "../path-mtu/packet-size-search.js";
import { type ConnectionEvents, WebTransportConnection } from "../webtransport/connection.js";
import { describeClose } from "./close-info.js";
import { APPLICATION_PROTOCOL } from "./config.js";
import { ConnectionPath } from "./connection-path.js";
import { DatagramFeed } from "./datagram-feed.js";
import { lendBytes } from "./lent-bytes.js";
import { type ArrivedPacket, PacketQueue } from "./packet-queue.js";
import { PacketSender } from "./packet-sender.js";
import { QuicheStreams } from "./quiche-streams.js";
import type { Address, UdpSocket } from "./udp-socket.js";

/** TLS alert bad_certificate as a QUIC error (RFC 9001 4.8, RFC 8446 6.2). */
const BAD_CERTIFICATE = 0x12a;
/** TLS alert no_application_protocol as a QUIC error (RFC 9001 8.1). */
const NO_APPLICATION_PROTOCOL = 0x178;
const RECEIVE_WINDOW_BYTES = 1 << 20;
const MAX_IGNORED_MS = 30_000;
/**
 * One packet of a peer that is ignored passes so often: its connection lives, and what it says reliably comes in the end. As
 * many as wait when it is heard again come at once, so a pause without any would have to be short, and come again and again.
 */
const HEARD_EVERY_MS = 250;

/** What became of a packet. `ignored`: it came while the peer is hardly heard; `full`: too many of its connection wait. */
export type PacketFate = "taken" | "full" | "ignored";

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
  readonly #path: ConnectionPath;
  readonly #receiveInfo: { from: Address; to: Address };
  readonly #sender: PacketSender;
  readonly #arrived = new PacketQueue();
  /** Packets came, or the application can take more, since the last reading. */
  #hasUnread = false;
  #engineDeadlineMs = Number.POSITIVE_INFINITY;
  #isEstablished = false;
  #isOver = false;
  #isClosing = false;
  #lastReceivedMs: number;
  /** When the keep-alive was last begun anew: by a packet, or by one of our own. */
  #keptAliveMs: number;
  #ignoredUntilMs = 0;
  #heardAgainMs = 0;
  readonly #keepAliveMs: number;
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
    this.#keptAliveMs = options.nowMs;
    this.#path = new ConnectionPath(connection, this.streams, this.webTransport.controlId, {
      ...options,
      interfaceMtuBytes: socket.interfaceMtuBytes,
      askedMs: role === "client" ? options.nowMs : undefined,
    });
    this.datagrams = new DatagramFeed(connection, BASE_PACKET_BYTES);
    const fail = (error: unknown) => {
      this.#verdict ??= { code: 0, reason: `QUIC: ${String(error)}`, by: "transport" };
      this.close(H3_CODE.INTERNAL_ERROR, "");
    };
    this.#sender = new PacketSender(connection, socket, this.#path, this.webTransport, this.datagrams, fail);
    this.#keepAliveMs = options.idleTimeoutMs / 3;
    this.#openDeadlineMs = options.nowMs + options.openTimeoutMs;
  }

  get isEstablished(): boolean {
    return this.#isEstablished;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The peer runs on this machine. Until a session is open nobody knows, and nothing is to wait. */
  get isLocal(): boolean {
    return this.#path.isLocal || !this.webTransport.hasOpened;
  }

  /** It has no session yet. */
  get isOpening(): boolean {
    return !this.webTransport.hasOpened;
  }

  /** For how long nothing has come. */
  silentMs(nowMs: number): number {
    return nowMs - this.#lastReceivedMs;
  }

  /** The pacer, or the socket, has stopped the last turn. */
  get isHeldBack(): boolean {
    return this.#sender.isHeldBack;
  }

  /** Takes one packet for the next turn, or loses it. */
  receive(packet: Uint8Array, from: Address, nowMs: number): PacketFate {
    if (nowMs < this.#ignoredUntilMs) {
      if (nowMs < this.#heardAgainMs) return "ignored";
      this.#heardAgainMs = nowMs + HEARD_EVERY_MS;
    }
    return this.#arrived.push({ packet, from, atMs: nowMs }) ? "taken" : "full";
  }

  /**
   * Loses nearly all of the peer's packets for a while, unopened: opening and answering them is most of what they cost, and its
   * congestion control slows it down.
   */
  ignorePeer(ms: number, nowMs: number): void {
    if (nowMs >= this.#ignoredUntilMs) this.#heardAgainMs = nowMs + HEARD_EVERY_MS;
    this.#ignoredUntilMs = nowMs + Math.min(ms, MAX_IGNORED_MS);
  }

  readonly #open = ({ packet, from, atMs: nowMs }: ArrivedPacket): void => {
    const info = this.#receiveInfo;
    if (info.from.port !== from.port || info.from.host !== from.host)
      info.from = { host: from.host, port: from.port };
    this.#lastReceivedMs = nowMs;
    this.#keptAliveMs = nowMs;
    this.#sender.acks.handlePacket(packet.byteLength, nowMs);
    this.#path.handleReceived(from, nowMs);
    this.#hasUnread = true;
    try {
      this.connection.recv(lendBytes(packet), info as RecvInfo);
    } catch {
      // Garbage, or a violation that quiche has turned into a close: what is left of the connection says it.
    }
  };

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

  /** The application has something to say, which is said at once. `mayRead`: it may take more than before as well. */
  handleNews(mayRead: boolean): void {
    this.#hasUnread ||= mayRead;
    this.#sender.isDue = true;
  }

  /** The first half of a turn: timers and reading. Returns how many packets were read. */
  read(nowMs: number): number {
    if (this.#isOver) return 0;
    this.turns += 1;
    const packets = this.#arrived.takeTurn(this.#open);
    if (this.#path.mtu.isProbing) this.#sender.look(nowMs);
    if (nowMs >= this.#engineDeadlineMs) {
      this.#sender.isDue = true;
      this.connection.onTimeout();
    }
    if (!this.#isEstablished && !this.#isClosing) this.#handshake(nowMs);
    // What came in front of the peer's close is still read.
    if (this.#isEstablished) this.#exchange(nowMs);
    this.#checkDeadline(nowMs);
    if (this.#arrived.size > 0) this.events.onWake(nowMs);
    return packets;
  }

  /** The second half: sending. Calls `onWake` with the time of the next turn. */
  send(nowMs: number): void {
    if (this.#isOver) return;
    const { connection } = this;
    const more = this.#sendPackets(nowMs);
    // The engine can hold back its own close; it has had its chance.
    const isStuck = this.#isClosing && !more && !this.#sender.isHeldBack;
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
    const path = this.#path.stats();
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
    return Math.max(0, this.#path.maxDatagramBytes - prefixBytes);
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
    if (nowMs - this.#keptAliveMs >= this.#keepAliveMs) {
      this.#keptAliveMs = nowMs; // One probe each interval; the engine's own idle timeout judges.
      this.connection.sendAckEliciting();
      this.#sender.isDue = true;
    }
  }

  /** Returns whether there is more to send at once. */
  #sendPackets(nowMs: number): boolean {
    return this.#sender.send(nowMs, { isEstablished: this.#isEstablished, isClosing: this.#isClosing });
  }

  #nextDeadlineMs(nowMs: number): number {
    return Math.min(
      this.#engineDeadlineMs,
      this.#sender.acks.deadlineMs,
      this.webTransport.nextTimeoutMs ?? Number.POSITIVE_INFINITY,
      this.#isEstablished ? this.#keptAliveMs + this.#keepAliveMs : Number.POSITIVE_INFINITY,
      this.webTransport.hasOpened ? Number.POSITIVE_INFINITY : this.#openDeadlineMs,
      this.#sender.isHeldBack ? nowMs + 1 : Number.POSITIVE_INFINITY,
      this.#isEstablished ? this.#path.deadlineMs(nowMs) : Number.POSITIVE_INFINITY,
    );
  }

  #finish(): void {
    this.#isOver = true;
    this.#arrived.clear();
    const info = this.#verdict ?? describeClose(this.connection);
    this.webTransport.abort(info);
    this.events.onGone(info);
  }
}
