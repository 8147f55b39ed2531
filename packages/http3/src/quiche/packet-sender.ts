import type { Connection } from "@matrixai/quic/native/types.js";
import type { WebTransportConnection } from "../webtransport/connection.js";
import { AckDelay } from "./ack-delay.js";
import type { ConnectionPath } from "./connection-path.js";
import type { DatagramFeed } from "./datagram-feed.js";
import type { UdpSocket } from "./udp-socket.js";

/** What one connection may send before others get their turn: no more than a receiver's socket holds. */
const MAX_BYTES_PER_TURN = 345_600;
/** Packets between two looks at the queues. */
const PACKETS_PER_ROUND = 64;
/** Smaller packets are acknowledgements and credit, which must not wait (RFC 9002 7.7). */
const MAX_CONTROL_BYTES = 200;

/** How far a connection has come. */
export interface SendingState {
  readonly isEstablished: boolean;
  readonly isClosing: boolean;
}

/** What a connection sends in its turns, and when: data, acknowledgements, probes of the path. */
export class PacketSender {
  readonly acks = new AckDelay();
  /** The engine has something to say that must not wait. */
  isDue = false;
  /** Pacer or socket stopped the last turn. */
  #isHeldBack = false;
  /** What the datagrams were cut for. */
  #packetBytes = 0;
  /** A turn ended without the probe that was due in it. */
  #isProbeOverdue = false;
  #state: SendingState = { isEstablished: false, isClosing: false };

  constructor(
    readonly connection: Connection,
    readonly socket: UdpSocket,
    readonly path: ConnectionPath,
    readonly webTransport: WebTransportConnection,
    readonly datagrams: DatagramFeed,
    /** The engine makes no packets any more. */
    readonly onFailure: (error: unknown) => void,
  ) {}

  get isHeldBack(): boolean {
    return this.#isHeldBack;
  }

  /** Sends what may leave; returns whether there is more to be sent at once. */
  send(nowMs: number, state: SendingState): boolean {
    const { datagrams, path, socket } = this;
    this.#state = state;
    this.look(nowMs);
    this.#isHeldBack = false;
    for (let sentBytes = 0; sentBytes < MAX_BYTES_PER_TURN; ) {
      const isProbeDue = this.#isProbeDue(nowMs);
      this.#isProbeOverdue &&= isProbeDue;
      if (this.#isProbeOverdue) this.#sendProbe(nowMs);
      const wasFed = state.isEstablished && this.#feed(nowMs);
      const hasDatagrams = datagrams.isHeld;
      const isQuiet = this.webTransport.hasOpened && !state.isClosing && !this.isDue && !isProbeDue;
      if (isQuiet && !wasFed && !hasDatagrams && this.acks.mayWait(nowMs)) return false;
      for (let i = 0; i < PACKETS_PER_ROUND; i++) {
        if (path.budgetBytes(nowMs) <= 0 || socket.isCongested) {
          this.#isHeldBack = true;
          this.#isProbeOverdue = isProbeDue;
          return false;
        }
        const length = this.#sendPacket(path.mtu.packetBytes);
        this.acks.handleSent();
        this.isDue = false;
        if (length === 0) {
          if (datagrams.isHeld) return false; // The engine's window is full.
          if (datagrams.isWaiting) break;
          if (!this.#isProbeDue(nowMs)) return false;
          this.#sendProbe(nowMs);
          break;
        }
        path.handleSent(length, hasDatagrams || length > MAX_CONTROL_BYTES, nowMs);
        sentBytes += length;
      }
    }
    this.#isProbeOverdue = this.#isProbeDue(nowMs);
    return true;
  }

  /** Looks at what became of the packets. */
  look(nowMs: number): void {
    if (!this.#state.isEstablished) return;
    const mustAsk = this.path.look(nowMs, this.#isHeldBack);
    const { packetBytes } = this.path.mtu;
    if (packetBytes !== this.#packetBytes) this.datagrams.setMaxBytes(this.path.maxDatagramBytes);
    this.#packetBytes = packetBytes;
    if (!mustAsk) return;
    this.connection.sendAckEliciting();
    this.isDue = true;
  }

  #isProbeDue(nowMs: number): boolean {
    const { isEstablished, isClosing } = this.#state;
    return isEstablished && !isClosing && this.path.mtu.probeBytes(nowMs) !== undefined;
  }

  /** Sends a probe, unless datagrams wait in the engine: they would travel in it, and be lost with it. */
  #sendProbe(nowMs: number): void {
    if (this.datagrams.isHeld) return;
    this.#isProbeOverdue = false;
    const { mtu } = this.path;
    const bytes = mtu.probeBytes(nowMs);
    if (bytes === undefined) return;
    // The window may be too small for it, and something else may wait on the padding's stream.
    const isSent = this.webTransport.pad(bytes) && this.#sendPacket(bytes) === bytes;
    if (isSent) mtu.handleProbeSent(bytes, nowMs);
    else mtu.postponeProbe(nowMs);
  }

  /** Sends what the engine makes of at most `maxBytes`; returns the packet's length, 0 where it has nothing. */
  #sendPacket(maxBytes: number): number {
    const buffer = this.socket.nextBuffer(maxBytes);
    try {
      const result = this.connection.send(buffer);
      if (result === null) return 0;
      const [length, { to }] = result;
      this.socket.send(buffer, length, to, !this.#state.isEstablished);
      return length;
    } catch (error) {
      this.onFailure(error);
      return 0;
    }
  }

  /** Hands the engine what it takes; `false` where no stream had anything. Datagrams are in its queue then. */
  #feed(nowMs: number): boolean {
    const hadStreamData = this.webTransport.flush(nowMs);
    // An overdue probe waits until no datagram is left in the engine.
    if (!this.#isProbeOverdue) this.datagrams.fill();
    return hadStreamData;
  }
}
