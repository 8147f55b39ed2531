import type { sluice } from "@sluice/proto";
import { maxAcknowledgedFrames } from "./limits.js";

/** Gathers which results have come, so that one message acknowledges several (spec 7.1). */
export interface Acknowledgements {
  /** A result came, for the first time or again: its acknowledgement may have been lost. */
  add(stream: number, frame: number, nowMs: number): void;
  /** When they are to be sent; Infinity where there are none. */
  nextTimeoutMs(): number;
  /** One message for each stream, and a fresh start. */
  take(): sluice.v1.ResultAck.$Properties[];
}

const gatherMs = 8;

export function createAcknowledgements(): Acknowledgements {
  const frames = new Map<number, number[]>();
  let dueMs = Number.POSITIVE_INFINITY;
  return {
    add(stream, frame, nowMs) {
      const list = frames.get(stream) ?? [];
      if (list.length < maxAcknowledgedFrames) list.push(frame);
      frames.set(stream, list);
      dueMs = Math.min(dueMs, nowMs + gatherMs);
    },
    nextTimeoutMs: () => dueMs,
    take() {
      const messages = [...frames].map(([stream, list]) => ({ stream, frames: list }));
      frames.clear();
      dueMs = Number.POSITIVE_INFINITY;
      return messages;
    },
  };
}
