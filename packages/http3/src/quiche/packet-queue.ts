import type { Address } from "./udp-socket.js";

/** A packet as it came. */
export interface ArrivedPacket {
  readonly packet: Uint8Array;
  readonly from: Address;
  readonly atMs: number;
}

/** Packets of one connection that wait for its turn, and the bytes of one turn, by which connections take turns. */
export const MAX_WAITING_PACKETS = 256;
export const TURN_BYTES = 65_536;
/** What a packet counts for at least: opening one costs time whatever it holds. */
const LEAST_BYTES = 2_048;

/**
 * The packets of one connection between the socket and its turn. The socket is shared: it is emptied at once, so that
 * the kernel drops nobody's packets because of somebody's flood, and connections take turns at what came.
 */
export class PacketQueue {
  #packets: ArrivedPacket[] = [];
  #next = 0;

  get size(): number {
    return this.#packets.length - this.#next;
  }

  /** `false` where too many wait: the packet is lost, as on a full link. */
  push(packet: ArrivedPacket): boolean {
    if (this.size >= MAX_WAITING_PACKETS) return false;
    this.#packets.push(packet);
    return true;
  }

  /** Hands out the packets of one turn. */
  takeTurn(receive: (packet: ArrivedPacket) => void): void {
    for (let bytes = 0; bytes < TURN_BYTES && this.size > 0; ) {
      const packet = this.#packets[this.#next++]!;
      bytes += Math.max(LEAST_BYTES, packet.packet.byteLength);
      receive(packet);
    }
    // What was handed out must not be held, nor moved for each turn.
    if (this.size === 0) this.clear();
    else if (this.#next >= MAX_WAITING_PACKETS) {
      this.#packets = this.#packets.slice(this.#next);
      this.#next = 0;
    }
  }

  clear(): void {
    this.#packets = [];
    this.#next = 0;
  }
}
