/**
 * What waits to be sent in datagrams (spec 3.5). A datagram is filled while there is data; the end of the last
 * tensor that waits sends it at once, so the tail of a tensor never waits for the next tensor (Nagle's rule, with
 * the tensor's end as the push). Several small tensors share a datagram.
 */
import { encodeSliceItem, sliceItemBytes, sliceItemOverhead } from "./datagram.js";
import { maxAgeMs, maxSendBufferBytes } from "./limits.js";
import type { SliceHeader } from "./slice-header.js";

/** A slice as the codec made it. */
export interface OutgoingSlice {
  readonly index: number;
  readonly count: number;
  readonly payload: Uint8Array;
}

/** A frame to be sent. */
export interface OutgoingFrame {
  readonly stream: number;
  readonly frame: number;
  readonly capturedMs: number;
  /** From then on sending it is of no use. */
  readonly expiresAtMs: number;
  readonly slices: readonly OutgoingSlice[];
  /** Cuts a slice into smaller ones, for a path whose datagrams have shrunk; without it such a slice is dropped. */
  readonly split: ((slice: OutgoingSlice, maxPayloadBytes: number) => readonly OutgoingSlice[]) | undefined;
}

export interface SendBuffer {
  /** Queues a frame; false where the buffer is full or the frame has no slices, and nothing was queued. */
  push(frame: OutgoingFrame): boolean;
  /**
   * Writes as many slices as fit behind `offset` and returns the offset behind them.
   * `sequence` numbers the datagram; `onSlice` learns what is in it.
   */
  fill(
    dst: Uint8Array,
    offset: number,
    maxBytes: number,
    sequence: number,
    nowMs: number,
    onSlice?: (frame: OutgoingFrame, slice: OutgoingSlice) => void,
  ): number;
  /** Takes out the frames that have expired or whose slices cannot be sent at all, sent in part or not. */
  shed(nowMs: number, maxBytes: number): OutgoingFrame[];
  /** Takes out the frames of a stream. */
  drop(stream: number): OutgoingFrame[];
  /** When the next frame expires; Infinity where nothing waits. */
  nextTimeoutMs(): number;
  /** Payload bytes that wait. */
  readonly bytes: number;
}

interface Waiting {
  readonly frame: OutgoingFrame;
  slices: OutgoingSlice[];
  next: number;
}

export function createSendBuffer(): SendBuffer {
  let queue: Waiting[] = [];
  let bytes = 0;

  function remaining(waiting: Waiting): number {
    let sum = 0;
    for (let i = waiting.next; i < waiting.slices.length; i++) sum += waiting.slices[i]!.payload.length;
    return sum;
  }

  function take(condemned: (waiting: Waiting) => boolean): OutgoingFrame[] {
    const taken = queue.filter(condemned);
    if (taken.length === 0) return [];
    for (const waiting of taken) bytes -= remaining(waiting);
    queue = queue.filter((waiting) => !taken.includes(waiting));
    return taken.map((waiting) => waiting.frame);
  }

  function splitNext(waiting: Waiting, maxPayloadBytes: number): boolean {
    const slice = waiting.slices[waiting.next]!;
    const parts = waiting.frame.split?.(slice, maxPayloadBytes);
    if (!parts || parts.length === 0) return false;
    const before = slice.payload.length;
    waiting.slices = [
      ...waiting.slices.slice(0, waiting.next),
      ...parts,
      ...waiting.slices.slice(waiting.next + 1),
    ];
    for (const part of parts) bytes += part.payload.length;
    bytes -= before;
    return parts.every((part) => part.payload.length <= maxPayloadBytes);
  }

  return {
    push(frame) {
      let size = 0;
      for (const slice of frame.slices) size += slice.payload.length;
      if (frame.slices.length === 0 || bytes + size > maxSendBufferBytes) return false;
      bytes += size;
      queue.push({ frame, slices: [...frame.slices], next: 0 });
      return true;
    },

    fill(dst, offset, maxBytes, sequence, nowMs, onSlice) {
      let at = offset;
      while (queue.length > 0) {
        const waiting = queue[0]!;
        const { stream, frame, capturedMs } = waiting.frame;
        const { index, count, payload } = waiting.slices[waiting.next]!;
        const ageMs = Math.min(maxAgeMs, Math.max(0, Math.round(nowMs - capturedMs)));
        const first = at === offset ? sequence : undefined;
        let header: SliceHeader = {
          stream,
          frame,
          index,
          count,
          ageMs,
          payloadBytes: undefined,
          sequence: first,
        };
        if (at + sliceItemBytes(header, payload.length) > maxBytes) break;
        const isLast = waiting.next + 1 === waiting.slices.length;
        const following = isLast ? queue[1]?.slices[queue[1].next] : waiting.slices[waiting.next + 1];
        const measured: SliceHeader = { ...header, payloadBytes: payload.length };
        const behind = at + sliceItemBytes(measured, payload.length);
        // Without a length the payload runs to the end, so only what nothing can follow goes without.
        const isFinal = !following || behind + sliceItemOverhead + following.payload.length > maxBytes;
        if (!isFinal) header = measured;
        at = encodeSliceItem(dst, at, header, payload);
        onSlice?.(waiting.frame, waiting.slices[waiting.next]!);
        bytes -= payload.length;
        waiting.next++;
        if (isLast) queue.shift();
        if (isFinal) break;
      }
      return at;
    },

    shed(nowMs, maxBytes) {
      return take((waiting) => {
        if (waiting.frame.expiresAtMs <= nowMs) return true;
        // Only the slice that is next is looked at: datagrams may have grown again when the others' turn comes.
        if (waiting !== queue[0]) return false;
        const { stream, frame } = waiting.frame;
        const { index, count, payload } = waiting.slices[waiting.next]!;
        const widest = { ageMs: maxAgeMs, payloadBytes: undefined, sequence: 0xffffffff };
        const overhead = sliceItemBytes({ stream, frame, index, count, ...widest }, 0);
        const fits = payload.length <= maxBytes - Math.max(overhead, sliceItemOverhead);
        // The parts have larger indices and counts: up to two bytes more for each.
        return !fits && !splitNext(waiting, maxBytes - Math.max(overhead + 4, sliceItemOverhead));
      });
    },

    drop: (stream) => take((waiting) => waiting.frame.stream === stream),

    nextTimeoutMs() {
      let next = Number.POSITIVE_INFINITY;
      for (const waiting of queue) next = Math.min(next, waiting.frame.expiresAtMs);
      return next;
    },

    get bytes() {
      return bytes;
    },
  };
}
