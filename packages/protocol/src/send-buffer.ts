/**
 * What waits to be sent in datagrams (spec 3.5, 3.6). A datagram is filled while there is data; the end of the last
 * tensor that waits sends it at once, so the tail of a tensor never waits for the next tensor (Nagle's rule, with
 * the tensor's end as the push). Several small tensors share a datagram, and streams share the path by their urgency.
 */
import { encodeSliceItem, sliceItemBytes, sliceItemOverhead } from "./datagram.js";
import { createExpiryQueue } from "./expiry-queue.js";
import { createFairTurns } from "./fair-turns.js";
import { maxAgeMs, maxRepairDistance, maxSendBufferBytes } from "./limits.js";
import type { SliceHeader } from "./slice-header.js";
import { streamWeight, tensorStreamDefaults } from "./tensor-stream.js";
import { varintBytes } from "./varint.js";

/** A slice as the codec made it. */
export interface OutgoingSlice {
  readonly index: number;
  readonly count: number;
  readonly payload: Uint8Array;
  /** What it is worth, 0 to 1: the more important ones are protected more (spec 5.8). Default 1. */
  readonly importance?: number;
  /** Of a repair symbol: the lowest number of the datagrams that it protects. */
  readonly protectsFrom?: number;
}

/** A frame to be sent. Its slices must not change before it has ended. */
export interface OutgoingFrame {
  readonly stream: number;
  readonly frame: number;
  readonly capturedMs: number;
  /** From then on sending it is of no use. */
  readonly expiresAtMs: number;
  readonly slices: readonly OutgoingSlice[];
  /** Cuts a slice into smaller ones, for a path whose datagrams have shrunk; without it such a slice is dropped. */
  readonly split: ((slice: OutgoingSlice, maxPayloadBytes: number) => readonly OutgoingSlice[]) | undefined;
  /** Of its stream, 0 to 7; default 3. */
  readonly urgency?: number;
  /** Bytes that stay free in a datagram with slices of this frame. Default 0. */
  readonly reserveBytes?: number;
  /** What is lost of it is to be sent again, as that will be in time: it needs no repair symbols (spec 5.9). */
  readonly isRetransmitted?: boolean;
  /** What is sent again goes once more at this time, unless it is known to have come (spec 5.9). */
  readonly copyAtMs?: number;
}

export interface SendBuffer {
  /** Queues a frame; false where the buffer is full or the frame has no slices, and nothing was queued. */
  push(frame: OutgoingFrame): boolean;
  /**
   * Writes as many slices as fit behind `offset` and returns the offset behind them.
   * `sequence` numbers the datagram; `onSlice` learns what is in it, and with which slice a frame has left wholly.
   */
  fill(
    dst: Uint8Array,
    offset: number,
    maxBytes: number,
    sequence: number,
    nowMs: number,
    onSlice?: (frame: OutgoingFrame, slice: OutgoingSlice, isLast: boolean) => void,
  ): number;
  /** Takes out the frames that have expired or whose slices cannot be sent at all, sent in part or not. */
  shed(nowMs: number, maxBytes: number): OutgoingFrame[];
  /** Takes out the frames of a stream, which sends no more. */
  drop(stream: number): OutgoingFrame[];
  /** When the next frame expires; Infinity where nothing waits. */
  nextTimeoutMs(): number;
  /** Payload bytes that wait. */
  readonly bytes: number;
}

interface Waiting {
  readonly frame: OutgoingFrame;
  readonly expiresAtMs: number;
  readonly lane: Lane;
  /** The slice that is next, and the parts of it that go in its place where it was split. */
  next: number;
  parts: readonly OutgoingSlice[];
  nextPart: number;
  /** Payload bytes that were not sent yet. */
  bytesLeft: number;
  done: boolean;
}

/** A header that does not name the payload's length yet: only what something follows needs it. */
type UnmeasuredHeader = Omit<SliceHeader, "payloadBytes"> & { payloadBytes: number | undefined };

/** Where in a datagram the next slice stands, and how much of it must stay free. */
interface Place {
  readonly sequence: number;
  readonly isFirst: boolean;
  readonly reserveBytes: number;
}

/** The frames of one stream, in order. */
interface Lane {
  readonly weight: number;
  turnAt: number;
  queue: Waiting[];
  head: number;
}

/** Streams that are asked for a slice that fits what is left of a datagram. */
const maxAsked = 16;
/** Frames that have left are kept in a lane's array until they are so many and the most of it. */
const minSpent = 64;
const noParts: readonly OutgoingSlice[] = [];

export function createSendBuffer(): SendBuffer {
  const lanes = new Map<number, Lane>();
  const turns = createFairTurns<Lane>();
  const expiry = createExpiryQueue<Waiting>();
  let bytes = 0;

  function laneOf({ stream, urgency = tensorStreamDefaults.urgency }: OutgoingFrame): Lane {
    let lane = lanes.get(stream);
    if (!lane) {
      lane = { weight: streamWeight(urgency), turnAt: 0, queue: [], head: 0 };
      lanes.set(stream, lane);
    }
    return lane;
  }

  /** The lane's first frame that has something to send. */
  function firstOf(lane: Lane): Waiting | undefined {
    while (lane.queue[lane.head]?.done) lane.head++;
    if (lane.head > minSpent && lane.head * 2 > lane.queue.length) {
      lane.queue = lane.queue.slice(lane.head);
      lane.head = 0;
    }
    return lane.queue[lane.head];
  }

  function sliceOf(waiting: Waiting): OutgoingSlice {
    return waiting.parts[waiting.nextPart] ?? waiting.frame.slices[waiting.next]!;
  }

  function headerOf(waiting: Waiting, place: Place, nowMs: number): UnmeasuredHeader {
    const { stream, frame, capturedMs } = waiting.frame;
    const { index, count, protectsFrom } = sliceOf(waiting);
    const ageMs = Math.min(maxAgeMs, Math.max(0, Math.round(nowMs - capturedMs)));
    const sequence = place.isFirst ? place.sequence : undefined;
    const repair = protectsFrom === undefined ? undefined : place.sequence - protectsFrom;
    // Made for every slice, so all of one shape and without copies: spread, it costs half of what the core carries.
    return { stream, frame, index, count, ageMs, payloadBytes: undefined, sequence, repair };
  }

  /** Passes over the slice that is next. */
  function advance(waiting: Waiting): void {
    const size = sliceOf(waiting).payload.length;
    bytes -= size;
    waiting.bytesLeft -= size;
    if (waiting.nextPart < waiting.parts.length) waiting.nextPart++;
    if (waiting.nextPart < waiting.parts.length) return;
    waiting.parts = noParts;
    waiting.nextPart = 0;
    waiting.next++;
    waiting.done = waiting.next === waiting.frame.slices.length;
  }

  /** Takes a frame out, sent in part or not. */
  function condemn(waiting: Waiting): OutgoingFrame {
    waiting.done = true;
    bytes -= waiting.bytesLeft;
    if (!firstOf(waiting.lane)) turns.leave(waiting.lane);
    return waiting.frame;
  }

  function isTooLarge(waiting: Waiting, maxBytes: number): boolean {
    const { stream, frame } = waiting.frame;
    const { index, count, payload, protectsFrom } = sliceOf(waiting);
    const widest = { ageMs: maxAgeMs, payloadBytes: undefined, sequence: 0xffffffff };
    const repair = protectsFrom === undefined ? undefined : maxRepairDistance;
    const overhead = sliceItemBytes({ stream, frame, index, count, ...widest, repair }, 0);
    const room = maxBytes - (waiting.frame.reserveBytes ?? 0);
    if (payload.length <= room - Math.max(overhead, sliceItemOverhead)) return false;
    // The parts have larger indices and counts: up to two bytes more for each.
    return !splitNext(waiting, room - Math.max(overhead + 4, sliceItemOverhead));
  }

  function splitNext(waiting: Waiting, maxPayloadBytes: number): boolean {
    const slice = sliceOf(waiting);
    const parts = waiting.frame.split?.(slice, maxPayloadBytes);
    if (!parts || parts.length === 0) return false;
    let added = -slice.payload.length;
    for (const part of parts) added += part.payload.length;
    bytes += added;
    waiting.bytesLeft += added;
    // A part that is split again: what is left of the first parts stays behind the new ones.
    waiting.parts = [...parts, ...waiting.parts.slice(waiting.nextPart + 1)];
    waiting.nextPart = 0;
    return parts.every((part) => part.payload.length <= maxPayloadBytes);
  }

  /** Whose slice goes next into what is left of a datagram. */
  function nextFor(room: number, maxBytes: number, place: Place, nowMs: number) {
    const first = turns.at(0);
    for (let i = 0; i < maxAsked; i++) {
      const lane = turns.at(i);
      if (!lane || !first) return undefined;
      // What is left over goes to whom it fits, but nobody gets ahead of the others by more than a datagram.
      if (lane.turnAt - first.turnAt > maxBytes / lane.weight) continue;
      const waiting = firstOf(lane)!;
      const { payload } = sliceOf(waiting);
      const reserveBytes = Math.max(place.reserveBytes, waiting.frame.reserveBytes ?? 0);
      // Mostly a datagram is full: no header is made to find that out.
      if (payload.length >= room - reserveBytes) continue;
      const header = headerOf(waiting, place, nowMs);
      if (sliceItemBytes(header, payload.length) <= room - reserveBytes)
        return { lane, waiting, header, payload, reserveBytes };
    }
    return undefined;
  }

  return {
    push(frame) {
      const size = bytesOf(frame.slices);
      if (frame.slices.length === 0 || bytes + size > maxSendBufferBytes) return false;
      bytes += size;
      const lane = laneOf(frame);
      const { expiresAtMs } = frame;
      const waiting: Waiting = {
        frame,
        expiresAtMs,
        lane,
        next: 0,
        parts: noParts,
        nextPart: 0,
        bytesLeft: size,
        done: false,
      };
      const wasIdle = !firstOf(lane);
      lane.queue.push(waiting);
      if (wasIdle) turns.join(lane);
      expiry.push(waiting);
      return true;
    },

    fill(dst, offset, maxBytes, sequence, nowMs, onSlice) {
      let at = offset;
      let next = nextFor(maxBytes - at, maxBytes, { sequence, isFirst: true, reserveBytes: 0 }, nowMs);
      while (next) {
        const { lane, waiting, header, payload, reserveBytes } = next;
        const slice = sliceOf(waiting);
        // As it is where it names its length.
        const size = sliceItemBytes(header, payload.length) + 1 + varintBytes(payload.length);
        advance(waiting);
        onSlice?.(waiting.frame, slice, waiting.done);
        turns.served(lane, size, firstOf(lane) !== undefined);
        next = nextFor(maxBytes - at - size, maxBytes, { sequence, isFirst: false, reserveBytes }, nowMs);
        // Without a length the payload runs to the end, so only what nothing follows goes without.
        if (next) header.payloadBytes = payload.length;
        at = encodeSliceItem(dst, at, header, payload);
      }
      return at;
    },

    shed(nowMs, maxBytes) {
      const taken: OutgoingFrame[] = [];
      for (let late = expiry.takeExpired(nowMs); late; late = expiry.takeExpired(nowMs)) {
        taken.push(condemn(late));
      }
      // Only slices that are next are looked at: datagrams may have grown again when the others' turn comes.
      for (let i = turns.size - 1; i >= 0; i--) {
        const waiting = firstOf(turns.at(i)!)!;
        if (isTooLarge(waiting, maxBytes)) taken.push(condemn(waiting));
      }
      return taken;
    },

    drop(stream) {
      const lane = lanes.get(stream);
      if (!lane) return [];
      lanes.delete(stream);
      return lane.queue.filter((waiting) => !waiting.done).map(condemn);
    },

    nextTimeoutMs: () => expiry.nextMs(),

    get bytes() {
      return bytes;
    },
  };
}

/** Payload bytes of slices. */
export function bytesOf(slices: readonly Pick<OutgoingSlice, "payload">[]): number {
  let bytes = 0;
  for (const { payload } of slices) bytes += payload.length;
  return bytes;
}
