/**
 * The datagrams that are on their way, as far as the sender knows (spec 5.6).
 * "Estimated unreceived bytes" is what was sent and is neither reported as received or passed over nor so old that
 * it must be lost: never negative, and never stuck after a loss.
 */
import { maxTrackedDatagrams } from "./limits.js";

export interface Flight {
  sent(sequence: number, bytes: number, nowMs: number): void;
  /** The receiver has seen a datagram with a number of at least `nextSequence - 1`. */
  reportedUpTo(nextSequence: number): void;
  /** Gives up what was sent before `sinceMs`. */
  expire(sinceMs: number): void;
  /** When and how large a datagram was, while it is remembered. */
  lookUp(sequence: number): { readonly sentMs: number; readonly bytes: number } | undefined;
  readonly unreceivedBytes: number;
  /** Infinity where nothing is on its way. */
  readonly oldestSentMs: number;
}

const minTracked = 256;

export function createFlight(): Flight {
  // Grown where many are on their way: a process may have thousands of sessions.
  let size = minTracked;
  let sentMs = new Float64Array(size);
  let bytes = new Uint32Array(size);
  // Datagrams [low, high) count as on their way; those from high - size on are remembered.
  let low = 0;
  let high = 0;
  let unreceivedBytes = 0;

  function passOver(end: number): void {
    for (const stop = Math.min(end, high); low < stop; low++) unreceivedBytes -= bytes[low % size]!;
  }

  /** What is remembered keeps its place: numbers modulo a power of two. */
  function grow(): void {
    const [oldSentMs, oldBytes, oldSize] = [sentMs, bytes, size];
    size = Math.min(maxTrackedDatagrams, 2 * size);
    sentMs = new Float64Array(size);
    bytes = new Uint32Array(size);
    for (let sequence = Math.max(0, high - oldSize); sequence < high; sequence++) {
      sentMs[sequence % size] = oldSentMs[sequence % oldSize]!;
      bytes[sequence % size] = oldBytes[sequence % oldSize]!;
    }
  }

  return {
    sent(sequence, count, nowMs) {
      if (sequence >= size && size < maxTrackedDatagrams) grow();
      if (sequence - low >= size) passOver(sequence - size + 1);
      sentMs[sequence % size] = nowMs;
      bytes[sequence % size] = count;
      high = sequence + 1;
      unreceivedBytes += count;
    },
    reportedUpTo: passOver,
    expire(sinceMs) {
      while (low < high && sentMs[low % size]! < sinceMs) passOver(low + 1);
    },
    lookUp(sequence) {
      if (sequence >= high || sequence < high - size || sequence < 0) return undefined;
      return { sentMs: sentMs[sequence % size]!, bytes: bytes[sequence % size]! };
    },
    get unreceivedBytes() {
      return unreceivedBytes;
    },
    get oldestSentMs() {
      return low < high ? sentMs[low % size]! : Number.POSITIVE_INFINITY;
    },
  };
}
