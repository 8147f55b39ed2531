import type { sluice } from "@sluice/proto";
import { maxAcknowledgedFrames } from "./limits.js";

/** Gathers which results have come, so that one message acknowledges several (spec 7.1). */
export interface Acknowledgements {
  /** A result came, for the first time or again: its acknowledgement may have been lost. */
  add(stream: number, frame: number, nowMs: number): void;
  /** When they are to be sent; Infinity where there are none. */
  nextTimeoutMs(): number;
  /** From when on they go with a datagram that leaves anyway. */
  readonly rideMs: number;
  /** Messages for each stream of at most `maxAcknowledgedFrames` frames, and a fresh start. */
  take(nowMs: number): sluice.v1.ResultAck.$Properties[];
}

/**
 * So long after the last message the next one leaves. After a pause it leaves at once, in the packet that acknowledges
 * the result in QUIC anyway: by itself it would cost both ends another packet and wake them once more.
 */
const gatherMs = 8;
/** Some are gathered for a ride too: a message for each result would cost more than a datagram for several. */
const rideBeforeMs = 4;

export function createAcknowledgements(): Acknowledgements {
  const frames = new Map<number, number[]>();
  let dueMs = Number.POSITIVE_INFINITY;
  let takenMs = Number.NEGATIVE_INFINITY;
  return {
    add(stream, frame, nowMs) {
      const list = frames.get(stream) ?? [];
      list.push(frame);
      frames.set(stream, list);
      // A full message leaves at once: what is held stays small however fast results come.
      const isFull = list.length >= maxAcknowledgedFrames;
      dueMs = Math.min(dueMs, isFull ? nowMs : Math.max(nowMs, takenMs + gatherMs));
    },
    nextTimeoutMs: () => dueMs,
    get rideMs() {
      return dueMs - rideBeforeMs;
    },
    take(nowMs) {
      takenMs = nowMs;
      const messages = [...frames].flatMap(([stream, list]) =>
        Array.from({ length: Math.ceil(list.length / maxAcknowledgedFrames) }, (_, i) => ({
          stream,
          frames: list.slice(i * maxAcknowledgedFrames, (i + 1) * maxAcknowledgedFrames),
        })),
      );
      frames.clear();
      dueMs = Number.POSITIVE_INFINITY;
      return messages;
    },
  };
}
