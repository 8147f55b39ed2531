import type { Link, LinkVerdict } from "./link.js";
import type { VirtualClock } from "./virtual-clock.js";

/**
 * Joins a link and a clock: returns a function that sends a packet of `bytes`, and calls `onDeliver` with it at the
 * virtual time at which it arrives (twice when the link duplicates it). A corrupted packet is not delivered: its receiver's
 * checksum or seal would drop it. The verdict is returned for assertions.
 */
export function createScheduledLink<T>(
  clock: VirtualClock,
  link: Link,
  onDeliver: (packet: T, nowMs: number) => void,
): (packet: T, bytes: number) => LinkVerdict {
  return (packet, bytes) => {
    const verdict = link.offer(bytes, clock.now());
    if ("dropped" in verdict || verdict.corruption !== undefined) return verdict;
    clock.at(verdict.deliverAtMs, () => onDeliver(packet, clock.now()));
    if (verdict.duplicateAtMs !== undefined)
      clock.at(verdict.duplicateAtMs, () => onDeliver(packet, clock.now()));
    return verdict;
  };
}
