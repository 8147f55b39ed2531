/**
 * Results on their way to the client: sent in datagrams, repeated until they are acknowledged or useless, so that a
 * lost datagram delays one result and no other (spec 7.1).
 */
import type { sluice } from "@sluice/proto";
import { createFrameTable } from "./frame-table.js";
import { maxUnacknowledgedResults } from "./limits.js";
import { createResultLosses } from "./result-losses.js";
import { encodeResult } from "./result-message.js";

/** How long a result is worth sending, in milliseconds of the server's clock. */
export interface ResultTimes {
  /** What leaves later than this comes after the deadline. */
  readonly inTimeUntilMs: number;
  /** From then on it is not repeated. */
  readonly uselessAtMs: number;
  /** So long it may wait for others to travel with. Default: it leaves at once. */
  readonly gatherUntilMs?: number;
}

export interface ResultOutbox {
  push(result: sluice.v1.Result.$Properties, times: ResultTimes, nowMs: number): void;
  acknowledge(stream: number, frames: readonly number[], nowMs: number): void;
  /** The next result that is due, or that goes with those that are, and at most `maxBytes` long; it counts as sent now. */
  take(maxBytes: number, rttMs: number, nowMs: number): Uint8Array | undefined;
  /** A result that is due but too large for any datagram of this size; it leaves the outbox. */
  takeLarger(maxBytes: number): sluice.v1.Result.$Properties | undefined;
  /** See `ResultLosses.setPathLoss`. */
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
  /** From then on it counts as one that is not acknowledged; Infinity: it does already. */
  lateMs: number;
}

/** The client gathers acknowledgements for a while; a repeat before that would be for nothing. */
const acknowledgementDelayMs = 15;
/** How long an acknowledgement takes at most, as a rule. */
const patienceMs = (rttMs: number) => 1.1 * rttMs + acknowledgementDelayMs;
/** A run of losses takes repeats that follow closely: they are spread over what is left, and large ones more widely. */
const hastyRepeats = 12;
const minRepeatMs = 5;
const repeatBytesPerMs = 40;
/** What was sent so often to a client that does not listen is held until it is heard of. */
const unheededSends = 2;
/** Nobody is told of a result for so many repeats without haste: it counts as unacknowledged. */
const lateAfter = 4;

/** When nothing is to be expected of it any more: no acknowledgement, and it is of no use. */
const endMs = ({ times, expectedMs }: Waiting) => Math.max(times.uselessAtMs, expectedMs);

export function createResultOutbox(): ResultOutbox {
  // Apart, for a client may leave dozens unacknowledged at a time: what leaves for the first time is found at once, and
  // the others are looked through only when one of them may be due.
  const fresh = createFrameTable<Waiting>();
  const sent = createFrameTable<Waiting>();
  /** When the first of `fresh` is due, as long as there are any. */
  let freshMs = Number.POSITIVE_INFINITY;
  /** When the first of `sent` is due. */
  let repeatMs = Number.POSITIVE_INFINITY;
  /** None that waits is longer. */
  let longestBytes = 0;
  let repeated = 0;
  /** Acknowledged, but not every sending of them yet. */
  const settling = createFrameTable<Waiting>();
  const losses = createResultLosses();

  /** It is not sent again unless the client is heard of. */
  const isHeld = ({ sends }: Waiting) => sends >= unheededSends && losses.isUnheeded;

  function intervalMs({ times, bytes }: Waiting, rttMs: number, nowMs: number): number {
    const patientMs = patienceMs(rttMs);
    const leftMs = times.inTimeUntilMs - nowMs;
    if (!losses.isHasty || leftMs <= 0) return patientMs;
    return Math.min(patientMs, Math.max(minRepeatMs, leftMs / hastyRepeats, bytes.length / repeatBytesPerMs));
  }

  /** It counts as unacknowledged, once; it may be sent all the same. */
  function giveUp(item: Waiting): void {
    if (item.lateMs < Number.POSITIVE_INFINITY) losses.learn(item.sends, item.acknowledgements);
    item.lateMs = Number.POSITIVE_INFINITY;
  }

  /** The client listens after all: what was held is due. */
  function heed(nowMs: number): void {
    losses.heed();
    for (const item of sent.values) if (item.dueMs === Number.POSITIVE_INFINITY) item.dueMs = nowMs;
  }

  /** What is not sent again is looked through in passing, or when all of it has ended. */
  function findRepeat(): void {
    repeatMs = Number.POSITIVE_INFINITY;
    let lastMs = 0;
    for (const item of sent.values) {
      repeatMs = Math.min(repeatMs, item.dueMs);
      lastMs = Math.max(lastMs, endMs(item));
    }
    if (sent.size > 0) repeatMs = Math.min(repeatMs, lastMs);
  }

  /** The oldest that have ended. */
  function purge(nowMs: number): void {
    for (let item = sent.values[0]; item && endMs(item) <= nowMs; item = sent.values[0]) {
      sent.shift();
      giveUp(item);
    }
  }

  function settle(nowMs: number): void {
    for (let item = settling.values[0]; item; item = settling.values[0]) {
      if (item.expectedMs > nowMs && settling.size <= maxUnacknowledgedResults) break;
      settling.shift();
      losses.learn(item.sends, item.acknowledgements);
    }
  }

  /** The oldest one gives way. */
  function enforceBound(): void {
    if (fresh.size + sent.size <= maxUnacknowledgedResults) return;
    const item = sent.shift();
    if (item) giveUp(item);
    else fresh.shift();
  }

  function send(item: Waiting, rttMs: number, nowMs: number): Uint8Array {
    item.expectedMs = nowMs + patienceMs(rttMs);
    if (item.sends === 0) item.lateMs = nowMs + lateAfter * patienceMs(rttMs);
    item.sends++;
    const isLast = isHeld(item) || item.times.uselessAtMs <= nowMs;
    item.dueMs = isLast ? Number.POSITIVE_INFINITY : nowMs + intervalMs(item, rttMs, nowMs);
    repeatMs = Math.min(repeatMs, isLast ? endMs(item) : item.dueMs);
    return item.bytes;
  }

  function takeRepeat(maxBytes: number, rttMs: number, nowMs: number): Uint8Array | undefined {
    for (const item of [...sent.values]) {
      if (item.times.uselessAtMs <= nowMs) {
        item.dueMs = Number.POSITIVE_INFINITY;
        if (endMs(item) > nowMs) continue;
        sent.take(item.stream, item.frame);
        giveUp(item);
      } else if (item.dueMs <= nowMs) {
        if (nowMs >= item.lateMs) giveUp(item);
        if (isHeld(item)) item.dueMs = Number.POSITIVE_INFINITY;
        else if (item.bytes.length <= maxBytes) {
          repeated++;
          return send(item, rttMs, nowMs);
        }
      }
    }
    findRepeat();
    return undefined;
  }

  return {
    push(result, times, nowMs) {
      const stream = result.stream ?? 0;
      const frame = result.frame ?? 0;
      const bytes = encodeResult(result);
      const dueMs = times.gatherUntilMs ?? nowMs;
      freshMs = fresh.size === 0 ? dueMs : Math.min(freshMs, dueMs);
      fresh.set(stream, frame, {
        stream,
        frame,
        result,
        bytes,
        times,
        dueMs,
        sends: 0,
        acknowledgements: 0,
        expectedMs: 0,
        lateMs: 0,
      });
      longestBytes = Math.max(longestBytes, bytes.length);
      enforceBound();
      // A client may have fallen silent: nobody else would do it then.
      settle(nowMs);
      purge(nowMs);
    },
    acknowledge(stream, frames, nowMs) {
      let isHeardOf = false;
      for (const frame of frames) {
        const taken = sent.take(stream, frame) ?? fresh.take(stream, frame);
        const item = taken ?? settling.get(stream, frame);
        if (!item) continue;
        isHeardOf = true;
        item.acknowledgements++;
        if (taken) settling.set(stream, frame, taken);
      }
      if (isHeardOf) heed(nowMs);
      findRepeat();
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
    setPathLoss: losses.setPathLoss,
    clear() {
      fresh.clear();
      sent.clear();
      repeatMs = Number.POSITIVE_INFINITY;
      settling.clear();
    },
    nextTimeoutMs() {
      return fresh.size === 0 ? repeatMs : Math.min(freshMs, repeatMs);
    },
    get size() {
      return fresh.size + sent.size;
    },
    get repeated() {
      return repeated;
    },
  };
}
