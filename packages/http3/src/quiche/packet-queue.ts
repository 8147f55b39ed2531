import { freeMemory } from "../free-memory.js";
import type { Address } from "./udp-socket.js";

/** A packet as it came. */
export interface ArrivedPacket {
  /** Belongs to whoever has it, and is empty once it was handed out. */
  readonly packet: Uint8Array;
  readonly from: Address;
  readonly atMs: number;
}

/** Packets of one connection that wait for its turn. */
export const MAX_WAITING_PACKETS = 256;
/** Packets of one turn, by which connections take turns, where they are small. */
export const TURN_PACKETS = 32;
/** Bytes that take as long as all the rest of opening a packet. */
const BYTES_PER_PACKET = 16_384;

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

  /** Hands out the packets of one turn; returns how many there were. */
  takeTurn(receive: (packet: ArrivedPacket) => void): number {
    if (this.size === 0) return 0;
    const used: Uint8Array[] = [];
    for (let packets = 0; packets < TURN_PACKETS && this.size > 0; ) {
      const packet = this.#packets[this.#next++]!;
      packets += 1 + packet.packet.byteLength / BYTES_PER_PACKET;
      receive(packet);
      used.push(packet.packet);
    }
    freeMemory(used);
    // What was handed out must not be held, nor moved for each turn.
    if (this.size === 0) this.clear();
    else if (this.#next >= MAX_WAITING_PACKETS) {
      this.#packets = this.#packets.slice(this.#next);
      this.#next = 0;
    }
    return used.length;
  }

  clear(): void {
    this.#packets = [];
    this.#next = 0;
  }
}
