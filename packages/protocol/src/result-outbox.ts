/**
 * Results on their way to the client: sent in datagrams, repeated until they are acknowledged or useless, so that a
 * lost datagram delays one result and no other (spec 7.1).
 */
import type { sluice } from "@sluice/proto";
import { encodeControl } from "./control-message.js";
import { maxUnacknowledgedResults } from "./limits.js";

export interface ResultOutbox {
  push(result: sluice.v1.Result.$Properties, uselessAtMs: number, nowMs: number): void;
  acknowledge(stream: number, frames: readonly number[]): void;
  /** The next result that is due and at most `maxBytes` long; it counts as sent now. */
  take(maxBytes: number, rttMs: number, nowMs: number): Uint8Array | undefined;
  /** A result that is due but too large for any datagram of this size; it leaves the outbox. */
  takeLarger(maxBytes: number): sluice.v1.Result.$Properties | undefined;
  /** When the next result is due; Infinity where none waits. */
  nextTimeoutMs(): number;
  readonly size: number;
  /** Results that were sent again. */
  readonly repeated: number;
}

interface Waiting {
  readonly result: sluice.v1.Result.$Properties;
  readonly bytes: Uint8Array;
  readonly uselessAtMs: number;
  dueMs: number;
  sends: number;
}

/** The client gathers acknowledgements for a while; a repeat before that would be for nothing. */
const acknowledgementDelayMs = 15;

export function createResultOutbox(): ResultOutbox {
  const waiting = new Map<string, Waiting>();
  let repeated = 0;
  return {
    push(result, uselessAtMs, nowMs) {
      const key = `${result.stream ?? 0}/${result.frame ?? 0}`;
      const bytes = encodeControl({ kind: "result", body: result });
      waiting.set(key, { result, bytes, uselessAtMs, dueMs: nowMs, sends: 0 });
      if (waiting.size > maxUnacknowledgedResults) waiting.delete(waiting.keys().next().value!);
    },
    acknowledge(stream, frames) {
      for (const frame of frames) waiting.delete(`${stream}/${frame}`);
    },
    take(maxBytes, rttMs, nowMs) {
      for (const [key, item] of waiting) {
        // The first sending always happens: a late result still tells the client what became of its frame.
        if (item.sends > 0 && item.uselessAtMs <= nowMs) waiting.delete(key);
        else if (item.dueMs <= nowMs && item.bytes.length <= maxBytes) {
          if (item.sends > 0) repeated++;
          item.sends++;
          item.dueMs = nowMs + 1.1 * rttMs + acknowledgementDelayMs;
          return item.bytes;
        }
      }
      return undefined;
    },
    takeLarger(maxBytes) {
      for (const [key, item] of waiting) {
        if (item.bytes.length > maxBytes) {
          waiting.delete(key);
          return item.result;
        }
      }
      return undefined;
    },
    nextTimeoutMs() {
      let next = Number.POSITIVE_INFINITY;
      for (const item of waiting.values()) next = Math.min(next, item.dueMs);
      return next;
    },
    get size() {
      return waiting.size;
    },
    get repeated() {
      return repeated;
    },
  };
}
