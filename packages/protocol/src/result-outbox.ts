/**
 * Results on their way to the client: sent in datagrams, repeated until they are acknowledged or useless, so that a
 * lost datagram delays one result and no other (spec 7.1).
 */
import type { sluice } from "@sluice/proto";
import { createFrameTable } from "./frame-table.js";
import { maxUnacknowledgedResults } from "./limits.js";
import { encodeResult } from "./result-message.js";

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
  readonly stream: number;
  readonly frame: number;
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
  // Apart, for a client may leave dozens unacknowledged at a time: what leaves for the first time is found at once, and
  // the others are looked through only when one of them may be due.
  const fresh = createFrameTable<Waiting>();
  const sent = createFrameTable<Waiting>();
  /** When the first of `sent` is due. */
  let repeatMs = Number.POSITIVE_INFINITY;
  /** None that waits is longer. */
  let longestBytes = 0;
  let repeated = 0;
  /** Acknowledged, but not every sending of them yet. */
  const settling = createFrameTable<Waiting>();
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
    for (let item = settling.values[0]; item; item = settling.values[0]) {
      if (item.expectedMs > nowMs && settling.size <= maxUnacknowledgedResults) break;
      settling.shift();
      learn(item);
    }
  }

  /** The oldest one gives way. */
  function enforceBound(): void {
    if (fresh.size + sent.size <= maxUnacknowledgedResults) return;
    (sent.size > 0 ? sent : fresh).shift();
  }

  function send(item: Waiting, rttMs: number, nowMs: number): Uint8Array {
    item.expectedMs = nowMs + 1.1 * rttMs + acknowledgementDelayMs;
    item.sends++;
    item.dueMs = nowMs + intervalMs(item, rttMs, nowMs);
    repeatMs = Math.min(repeatMs, item.dueMs);
    return item.bytes;
  }

  function takeRepeat(maxBytes: number, rttMs: number, nowMs: number): Uint8Array | undefined {
    let next = Number.POSITIVE_INFINITY;
    for (const item of [...sent.values]) {
      if (item.times.uselessAtMs <= nowMs) {
        sent.take(item.stream, item.frame);
        learn(item);
      } else if (item.dueMs <= nowMs && item.bytes.length <= maxBytes) {
        repeated++;
        return send(item, rttMs, nowMs);
      } else next = Math.min(next, item.dueMs);
    }
    repeatMs = next;
    return undefined;
  }

  return {
    push(result, times, nowMs) {
      const stream = result.stream ?? 0;
      const frame = result.frame ?? 0;
      const bytes = encodeResult(result);
      fresh.set(stream, frame, {
        stream,
        frame,
        result,
        bytes,
        times,
        dueMs: nowMs,
        sends: 0,
        acknowledgements: 0,
        expectedMs: 0,
      });
      longestBytes = Math.max(longestBytes, bytes.length);
      enforceBound();
    },
    acknowledge(stream, frames, nowMs) {
      for (const frame of frames) {
        const taken = sent.take(stream, frame) ?? fresh.take(stream, frame);
        const item = taken ?? settling.get(stream, frame);
        if (item) item.acknowledgements++;
        if (taken) settling.set(stream, frame, taken);
      }
      repeatMs = Number.POSITIVE_INFINITY;
      for (const { dueMs } of sent.values) repeatMs = Math.min(repeatMs, dueMs);
      settle(nowMs);
    },
    take(maxBytes, rttMs, nowMs) {
      const repeat = repeatMs <= nowMs ? takeRepeat(maxBytes, rttMs, nowMs) : undefined;
      if (repeat) return repeat;
      // The first sending always happens: a late result still tells the client what became of its frame.
      const item = fresh.values.find(({ bytes }) => bytes.length <= maxBytes);
      if (!item) return undefined;
      fresh.take(item.stream, item.frame);
      sent.set(item.stream, item.frame, item);
      return send(item, rttMs, nowMs);
    },
    takeLarger(maxBytes) {
      if (longestBytes <= maxBytes) return undefined;
      longestBytes = 0;
      for (const items of [sent, fresh]) {
        for (const { stream, frame, bytes } of items.values) {
          longestBytes = Math.max(longestBytes, bytes.length);
          if (bytes.length > maxBytes) return items.take(stream, frame)!.result;
        }
      }
      return undefined;
    },
    setPathLoss(share) {
      pathLossShare = share;
    },
    clear() {
      fresh.clear();
      sent.clear();
      repeatMs = Number.POSITIVE_INFINITY;
      settling.clear();
    },
    nextTimeoutMs() {
      return Math.min(fresh.values[0]?.dueMs ?? Number.POSITIVE_INFINITY, repeatMs);
    },
    get size() {
      return fresh.size + sent.size;
    },
    get repeated() {
      return repeated;
    },
  };
}
