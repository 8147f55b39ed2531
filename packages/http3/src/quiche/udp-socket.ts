import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { interfaceMtu } from "../path-mtu/interface-mtu.js";

/** Bytes of the kernel's socket buffers; it may grant less. */
const SOCKET_BUFFER_BYTES = 8 << 20;
/** quiche makes none that are larger. */
const MAX_PACKET_BYTES = 16_384;
/** Packets that may wait in Node for the kernel; beyond them sending pauses. */
const MAX_QUEUED_PACKETS = 512;

/** Where a packet came from or goes to. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Receives what happens on a socket. */
export interface UdpEvents {
  /** The packet belongs to the callee. */
  onPacket(packet: Buffer, from: RemoteInfo): void;
  /** An error that ICMP or the kernel reports, as `ECONNREFUSED` on a connected socket. */
  onError(error: Error & { code?: string }): void;
}

/** A UDP socket with large buffers that sends without an allocation for each packet. */
export class UdpSocket {
  #local: Address = { host: "0.0.0.0", port: 0 };
  readonly #reusable = Buffer.allocUnsafeSlow(MAX_PACKET_BYTES);
  /** The beginning of it that was used last. */
  #view: Buffer = this.#reusable;
  #connected = false;
  #isClosed = false;
  #interfaceMtuBytes: number | undefined;

  private constructor(
    readonly socket: Socket,
    readonly events: UdpEvents,
  ) {
    socket.on("message", (packet, from) => events.onPacket(packet, from));
    socket.on("error", (error) => events.onError(error));
  }

  /** Binds to `local`; with `remote` it only talks to that address and learns that nobody listens there. */
  static async open(local: Address, remote: Address | undefined, events: UdpEvents): Promise<UdpSocket> {
    const family = isIPv6(local.host) ? 6 : 4;
    const socket = createSocket({
      type: `udp${family}`,
      // Every address is a literal already; the default would go through DNS for each packet.
      lookup: (address, _options, callback) => callback(null, address, family),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind({ port: local.port, address: local.host, exclusive: true }, () => {
        socket.off("error", reject);
        resolve();
      });
    });
    for (const set of [
      () => socket.setRecvBufferSize(SOCKET_BUFFER_BYTES),
      () => socket.setSendBufferSize(SOCKET_BUFFER_BYTES),
    ]) {
      try {
        set();
      } catch {
        // A smaller buffer loses more packets in bursts, and works.
      }
    }
    const udp = new UdpSocket(socket, events);
    if (remote !== undefined) {
      await new Promise<void>((resolve, reject) => {
        socket.once("error", reject);
        socket.connect(remote.port, remote.host, () => {
          socket.off("error", reject);
          resolve();
        });
      });
      udp.#connected = true;
    }
    const { address, port } = socket.address();
    udp.#local = { host: address, port };
    udp.#interfaceMtuBytes = interfaceMtu(address);
    return udp;
  }

  get local(): Address {
    return this.#local;
  }

  /** The largest IP packet that leaves in one piece, `undefined` where that is not known. */
  get interfaceMtuBytes(): number | undefined {
    return this.#interfaceMtuBytes;
  }

  get isCongested(): boolean {
    return this.socket.getSendQueueCount() >= MAX_QUEUED_PACKETS;
  }

  /** A buffer for the next packet: the same memory again where the kernel has taken all packets so far. */
  nextBuffer(bytes: number): Buffer {
    if (this.socket.getSendQueueCount() > 0) return Buffer.allocUnsafe(bytes);
    if (this.#view.byteLength !== bytes) this.#view = this.#reusable.subarray(0, bytes);
    return this.#view;
  }

  /** A failed send is a lost packet, which QUIC repairs. `isFirst`: that nobody listens there is told. */
  send(packet: Buffer, length: number, to: Address, isFirst = false): void {
    if (!this.#connected) this.socket.send(packet, 0, length, to.port, to.host);
    // A callback costs a task for each packet.
    else if (isFirst) this.socket.send(packet, 0, length, this.#handleSendError);
    else this.socket.send(packet, 0, length);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.socket.removeAllListeners("message");
    this.socket.close();
  }

  readonly #handleSendError = (error: (Error & { code?: string }) | null): void => {
    if (error?.code === "ECONNREFUSED") this.events.onError(error);
  };
}
