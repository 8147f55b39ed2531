/**
 * Results on their way to the client: sent in datagrams, repeated until they are acknowledged or useless, so that a
 * lost datagram delays one result and no other (spec 7.1).
 */
import type { sluice } from "@sluice/proto";
import { encodeControl } from "./control-message.js";
import { frameKey } from "./frame-key.js";
import { maxUnacknowledgedResults } from "./limits.js";

/** How long a result is worth sending, in milliseconds of the server's clock. */
export interface ResultTimes {
  /** What leaves later than this comes after the deadline. */
  readonly inTimeUntilMs: number;
  /** From then on it is not repeated. */
  readonly uselessAtMs: number;
}

export interface ResultOutbox {
  push(result: sluice.v1.Result.$Properties, times: ResultTimes, nowMs: number): void;
  acknowledge(stream: number, frames: readonly number[], nowMs: number): void;
  /** The next result that is due and at most `maxBytes` long; it counts as sent now. */
  take(maxBytes: number, rttMs: number, nowMs: number): Uint8Array | undefined;
  /** A result that is due but too large for any datagram of this size; it leaves the outbox. */
  takeLarger(maxBytes: number): sluice.v1.Result.$Properties | undefined;
  /** Share of the datagrams that were lost the other way, 0 to 1: what may be expected while nothing else is known. */
  setPathLoss(share: number): void;
  /** Forgets what waits. */
  clear(): void;
  /** When the next result is due; Infinity where none waits. */
  nextTimeoutMs(): number;
  readonly size: number;
  /** Results that were sent again. */
  readonly repeated: number;
}

interface Waiting {
  readonly result: sluice.v1.Result.$Properties;
  readonly bytes: Uint8Array;
  readonly times: ResultTimes;
  dueMs: number;
  sends: number;
  /** How many of them were acknowledged. */
  acknowledgements: number;
  /** When the acknowledgement of the last sending is late. */
  expectedMs: number;
}

/** The client gathers acknowledgements for a while; a repeat before that would be for nothing. */
const acknowledgementDelayMs = 15;
/**
 * Where more results or acknowledgements than this are lost, waiting for an acknowledgement costs deadlines: a result is then repeated
 * without one while it can still be in time. Results are small beside the tensors that they answer.
 */
const hastyAboveLoss = 0.005;
/** A run of losses takes repeats that follow closely: they are spread over what is left, and large ones more widely. */
const hastyRepeats = 12;
const minRepeatMs = 5;
const repeatBytesPerMs = 40;

export function createResultOutbox(): ResultOutbox {
  const waiting = new Map<number, Waiting>();
  let repeated = 0;
  /** Acknowledged, but not every sending of them yet. */
  const settling = new Map<number, Waiting>();
  /** Smoothed share of sendings that were not acknowledged. */
  let lossShare = 0;
  let pathLossShare = 0;

  function intervalMs({ times, bytes }: Waiting, rttMs: number, nowMs: number): number {
    const patientMs = 1.1 * rttMs + acknowledgementDelayMs;
    const leftMs = times.inTimeUntilMs - nowMs;
    if (Math.max(lossShare, pathLossShare) < hastyAboveLoss || leftMs <= 0) return patientMs;
    return Math.min(patientMs, Math.max(minRepeatMs, leftMs / hastyRepeats, bytes.length / repeatBytesPerMs));
  }

  function learn({ sends, acknowledgements }: Waiting): void {
    lossShare += (1 - Math.min(1, acknowledgements / sends) - lossShare) / 32;
  }

  function settle(nowMs: number): void {
    for (const [key, item] of settling) {
      if (item.expectedMs > nowMs && settling.size <= maxUnacknowledgedResults) break;
      settling.delete(key);
      learn(item);
    }
  }

  return {
    push(result, times, nowMs) {
      const key = frameKey(result.stream ?? 0, result.frame ?? 0);
      const bytes = encodeControl({ kind: "result", body: result });
      waiting.set(key, { result, bytes, times, dueMs: nowMs, sends: 0, acknowledgements: 0, expectedMs: 0 });
      if (waiting.size > maxUnacknowledgedResults) waiting.delete(waiting.keys().next().value!);
    },
    acknowledge(stream, frames, nowMs) {
      for (const frame of frames) {
        const key = frameKey(stream, frame);
        const item = waiting.get(key) ?? settling.get(key);
        if (!item) continue;
        item.acknowledgements++;
        if (waiting.delete(key)) settling.set(key, item);
      }
      settle(nowMs);
    },
    take(maxBytes, rttMs, nowMs) {
      for (const [key, item] of waiting) {
        // The first sending always happens: a late result still tells the client what became of its frame.
        if (item.sends > 0 && item.times.uselessAtMs <= nowMs) {
          waiting.delete(key);
          learn(item);
        } else if (item.dueMs <= nowMs && item.bytes.length <= maxBytes) {
          if (item.sends > 0) repeated++;
          item.expectedMs = nowMs + 1.1 * rttMs + acknowledgementDelayMs;
          item.sends++;
          item.dueMs = nowMs + intervalMs(item, rttMs, nowMs);
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
    setPathLoss(share) {
      pathLossShare = share;
    },
    clear() {
      waiting.clear();
      settling.clear();
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
