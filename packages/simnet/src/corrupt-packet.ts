import { createRandom } from "./random.js";

/** Most bits of a packet that are changed. */
const maxFlips = 4;

/**
 * Changes 1 to 4 bits of a packet in place, at places that follow from `corruption` and the packet's length; an empty
 * packet stays as it is. It is never what it was.
 * @param corruption of the link's verdict, 0 up to 1
 */
export function corruptPacket(packet: Uint8Array, corruption: number): void {
  const bits = packet.length * 8;
  if (bits === 0) return;
  const random = createRandom(corruption);
  const wanted = Math.min(bits, 1 + Math.floor(random.next() * maxFlips));
  const flipped = new Set<number>();
  while (flipped.size < wanted) flipped.add(Math.floor(random.next() * bits));
  for (const bit of flipped) packet[bit >> 3] = packet[bit >> 3]! ^ (1 << (bit & 7));
}
