import { randomBytes } from "node:crypto";
import quiche from "@matrixai/quic/native/quiche.js";
import type { Connection, RecvInfo } from "@matrixai/quic/native/types.js";
import { createClientConfig, DEFAULT_QUIC_OPTIONS } from "#src/quiche/config.js";
import { CONNECTION_ID_BYTES } from "#src/quiche/packet-header.js";
import { QuicheStreams } from "#src/quiche/quiche-streams.js";
import { UdpSocket } from "#src/quiche/udp-socket.js";

const MAX_PACKET_BYTES = 1350;

/** A QUIC client without HTTP/3: whatever is to be sent on a stream is sent. One thread of a process may use it. */
export class RawQuic {
  readonly streams: QuicheStreams;
  #timer: NodeJS.Timeout | undefined;
  #isScheduled = false;
  #isOver = false;
  #waiters: (() => void)[] = [];
  readonly #scratch = Buffer.alloc(65_536);

  private constructor(
    readonly connection: Connection,
    readonly socket: UdpSocket,
  ) {
    this.streams = new QuicheStreams(connection);
  }

  /** Resolves once the handshake is done or has failed. `protocol`: what it offers in ALPN. */
  static async open(port: number, protocol = "h3"): Promise<RawQuic> {
    const peer = { host: "127.0.0.1", port };
    let raw: RawQuic | undefined;
    const socket = await UdpSocket.open({ host: "0.0.0.0", port: 0 }, peer, {
      onPacket(packet, from) {
        raw?.receive(packet, { host: from.address, port: from.port });
      },
      onError() {},
    });
    const config = createClientConfig(undefined, DEFAULT_QUIC_OPTIONS);
    config.setApplicationProtos([protocol]);
    const id = randomBytes(CONNECTION_ID_BYTES);
    raw = new RawQuic(quiche.Connection.connect(undefined, id, socket.local, peer, config), socket);
    raw.schedule();
    while (!raw.connection.isEstablished() && !raw.#isOver) await raw.#change();
    return raw;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  receive(packet: Buffer, from: { host: string; port: number }): void {
    try {
      this.connection.recv(packet, { from, to: this.socket.local } as RecvInfo);
    } catch {
      // What it means is in the connection's state.
    }
    this.schedule();
  }

  schedule(): void {
    if (this.#isScheduled || this.#isOver) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#turn();
    });
  }

  /** Resolves once everything that was sent is acknowledged, or the connection is over. */
  async settle(): Promise<void> {
    this.connection.sendAckEliciting();
    this.schedule();
    const before = this.connection.stats().recv;
    while (!this.#isOver && this.connection.stats().recv === before) await this.#change();
  }

  /** The code with which the server closed, or `undefined`. */
  get closeCode(): number | undefined {
    return this.connection.peerError()?.errorCode;
  }

  async close(): Promise<void> {
    try {
      this.connection.close(true, 0x100, Buffer.alloc(0));
    } catch {
      // Closed already.
    }
    this.#turn();
    this.#end();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #turn(): void {
    if (this.#isOver) return;
    // Nobody wants what the server says, but it needs its credit back.
    if (this.connection.isEstablished()) {
      for (const id of this.streams.readable()) while (this.streams.receive(id, this.#scratch) > 0);
      while (this.streams.receiveDatagram(this.#scratch) !== -1);
    }
    for (;;) {
      const buffer = this.socket.nextBuffer(MAX_PACKET_BYTES);
      const sent = this.#next(buffer);
      if (sent === undefined) break;
      this.socket.send(buffer, sent, { host: "", port: 0 });
    }
    if (this.connection.isClosed() || this.connection.isDraining()) this.#end();
    else this.#arm();
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }

  #next(buffer: Buffer): number | undefined {
    try {
      return this.connection.send(buffer)?.[0];
    } catch {
      return undefined;
    }
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const timeoutMs = this.connection.timeout();
    if (timeoutMs === null) return;
    this.#timer = setTimeout(() => {
      this.connection.onTimeout();
      this.schedule();
    }, timeoutMs + 1);
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.socket.close();
  }
}
