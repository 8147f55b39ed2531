import { createJitterProcess } from "./jitter-process.js";
import { type CheckedLinkParameters, checkLinkParameters, type LinkParameters } from "./link-parameters.js";
import { createLossProcess } from "./loss-process.js";
import type { Random } from "./random.js";

/** `mtu`: larger than the link takes; `queue`: the bottleneck's queue was full; `loss`: lost on the wire. */
export type LinkDropReason = "loss" | "queue" | "mtu";

/**
 * What becomes of one packet. `duplicateAtMs` is there when it arrives a second time, `corruption` (0 up to 1) when its
 * bits change on the way: which ones follows from it (`corruptPacket`).
 */
export type LinkVerdict =
  | { readonly deliverAtMs: number; readonly duplicateAtMs?: number; readonly corruption?: number }
  | { readonly dropped: LinkDropReason };

/** Counted since the start. `offered` = `delivered` + the three kinds of drops; duplicates count apart, corrupted ones are delivered. */
export interface LinkCounters {
  readonly offered: number;
  readonly offeredBytes: number;
  readonly delivered: number;
  readonly deliveredBytes: number;
  readonly duplicated: number;
  readonly corrupted: number;
  readonly reordered: number;
  readonly droppedLoss: number;
  readonly droppedQueue: number;
  readonly droppedMtu: number;
}

/**
 * One direction of a path: an MTU, a drop-tail queue before a bottleneck, then a wire with delay and loss. It holds no
 * packets and knows no clock: it says when a packet arrives, and whoever asks delivers it then.
 *
 * A lost packet has used its share of the bottleneck. Without `reorder` packets arrive in order, also across changes
 * of the parameters. What is lost depends on the seed and the packet's number, not on its size or time.
 */
export interface Link {
  /**
   * Sends a packet of `bytes` at `nowMs`. A time before the last one is taken as the last one.
   * @throws RangeError when `bytes` is negative or either is not finite.
   */
  offer(bytes: number, nowMs: number): LinkVerdict;
  /**
   * Replaces the fields that are present (`undefined` included: it takes a limit away) from `nowMs` on. Bytes that wait
   * keep waiting at the new rate; packets that have a verdict keep it.
   * @throws RangeError that names the field; nothing is changed then.
   */
  set(change: LinkParameters, nowMs: number): void;
  /** How long a packet would wait for the bottleneck now, in milliseconds. */
  queueDelayMs(nowMs: number): number;
  parameters(): LinkParameters;
  counters(): LinkCounters;
}

/** @throws RangeError that names the field when a parameter is out of its range. */
export function createLink(parameters: LinkParameters, random: Random): Link {
  let given: LinkParameters = { ...parameters };
  let checked: CheckedLinkParameters = checkLinkParameters(given);
  const lossProcess = createLossProcess(random.fork("loss"));
  const jitterProcess = createJitterProcess(random.fork("jitter"));
  const reorderRandom = random.fork("reorder");
  const duplicateRandom = random.fork("duplicate");
  const corruptRandom = random.fork("corrupt");
  const counters = {
    offered: 0,
    offeredBytes: 0,
    delivered: 0,
    deliveredBytes: 0,
    duplicated: 0,
    corrupted: 0,
    reordered: 0,
    droppedLoss: 0,
    droppedQueue: 0,
    droppedMtu: 0,
  };
  let lastOfferMs = Number.NEGATIVE_INFINITY;
  /** When the bottleneck has sent all that it took. */
  let idleAtMs = Number.NEGATIVE_INFINITY;
  let lastArrivalMs = Number.NEGATIVE_INFINITY;

  const waitMs = (nowMs: number): number => Math.max(0, idleAtMs - nowMs);
  const bytesFor = (durationMs: number): number => (durationMs * checked.rateBitsPerSecond) / 8000;

  function isQueueFull(bytes: number, nowMs: number): boolean {
    const wait = waitMs(nowMs);
    // An idle bottleneck takes any packet at once: nothing is queued then, whatever the bounds.
    if (wait === 0) return false;
    return wait > checked.queueMs || bytesFor(wait) + bytes > checked.queueBytes;
  }

  /** Arrival in order of a packet that leaves the bottleneck at `sentMs`. */
  function arrivalInOrder(sentMs: number): number {
    const arrivalMs = sentMs + checked.delayMs + jitterProcess.sampleMs(sentMs, checked.jitterMs);
    return Math.max(arrivalMs, lastArrivalMs);
  }

  function offer(bytes: number, nowMs: number): LinkVerdict {
    if (!(bytes >= 0 && bytes < Number.POSITIVE_INFINITY))
      throw new RangeError(`bytes must be at least 0, got ${bytes}`);
    if (!Number.isFinite(nowMs)) throw new RangeError(`nowMs must be finite, got ${nowMs}`);
    const timeMs = Math.max(nowMs, lastOfferMs);
    lastOfferMs = timeMs;
    counters.offered++;
    counters.offeredBytes += bytes;
    // Drawn for every packet, whatever happens to it before the wire: see the head of Link.
    const lost = lossProcess.isLost(checked.loss, checked.burst);
    const heldBackMs =
      reorderRandom.next() < checked.reorder ? (1 - reorderRandom.next()) * checked.reorderMs : 0;
    const duplicated = duplicateRandom.next() < checked.duplicate;
    const corruptDraw = corruptRandom.next();
    if (bytes > checked.mtuBytes) {
      counters.droppedMtu++;
      return { dropped: "mtu" };
    }
    if (isQueueFull(bytes, timeMs)) {
      counters.droppedQueue++;
      return { dropped: "queue" };
    }
    const sentMs = Math.max(timeMs, idleAtMs) + (bytes * 8000) / checked.rateBitsPerSecond;
    idleAtMs = sentMs;
    if (lost) {
      counters.droppedLoss++;
      return { dropped: "loss" };
    }
    const arrivalMs = arrivalInOrder(sentMs);
    counters.delivered++;
    counters.deliveredBytes += bytes;
    let deliverAtMs = arrivalMs;
    if (heldBackMs > 0) {
      // It does not hold up those behind it: `lastArrivalMs` stays.
      counters.reordered++;
      deliverAtMs += heldBackMs;
    } else {
      lastArrivalMs = arrivalMs;
    }
    let verdict: LinkVerdict = { deliverAtMs };
    if (duplicated) {
      counters.duplicated++;
      verdict = { ...verdict, duplicateAtMs: deliverAtMs };
    }
    if (corruptDraw < checked.corrupt) {
      counters.corrupted++;
      verdict = { ...verdict, corruption: corruptDraw / checked.corrupt };
    }
    return verdict;
  }

  return {
    offer,
    set(change, nowMs) {
      if (!Number.isFinite(nowMs)) throw new RangeError(`nowMs must be finite, got ${nowMs}`);
      const merged = { ...given, ...change };
      const next = checkLinkParameters(merged);
      const timeMs = Math.max(nowMs, lastOfferMs);
      const wait = waitMs(timeMs);
      if (wait > 0) idleAtMs = timeMs + (bytesFor(wait) * 8000) / next.rateBitsPerSecond;
      given = merged;
      checked = next;
    },
    queueDelayMs: waitMs,
    parameters: () => ({ ...given }),
    counters: () => ({ ...counters }),
  };
}
