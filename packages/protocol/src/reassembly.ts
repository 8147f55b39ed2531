/**
 * Collects the slices of frames until a frame is whole or waiting for the rest is of no use (spec 5.5).
 *
 * A frame is released
 * - complete, as soon as every unit has come;
 * - incomplete, when nothing more of it came for a while: the network does not send lost slices again;
 * - incomplete, at the last moment at which its result could still be in time;
 * - incomplete, when the bounds on frames or bytes are reached: the oldest goes first.
 */
import { sliceRange } from "@sluice/tensor";
import { ErrorCode, ProtocolError } from "./error-code.js";
import { maxFramesInReassembly, maxReassemblyBytes, maxRememberedFrames } from "./limits.js";
import { createSliceCover, type SliceCover } from "./slice-cover.js";
import type { SliceHeader } from "./slice-header.js";

/** A slice that waits for its frame. */
export interface HeldSlice {
  readonly index: number;
  readonly count: number;
  readonly payload: Uint8Array;
}

/** What came of a frame. */
export interface ReceivedFrame {
  readonly stream: number;
  readonly frame: number;
  readonly slices: readonly HeldSlice[];
  readonly unitsReceived: number;
  readonly units: number;
  /** When the first and the last slice came, in milliseconds of the receiver's clock. */
  readonly firstArrivalMs: number;
  readonly lastArrivalMs: number;
  /** The capture of the frame in the receiver's clock, if the network had taken no time: the earliest estimate. */
  readonly capturedMs: number;
  /** The last moment at which the result may leave to be in time. */
  readonly expiresAtMs: number;
}

/** What became of one slice. */
export type SliceReceipt = "taken" | "duplicate" | "late" | "too-large";

export interface ReassemblyStream {
  readonly units: number;
  /** Bytes that the slices of one frame may have together. */
  readonly maxFrameBytes: number;
  /** How long after its capture a result is useful. */
  readonly deadlineMs: number;
  /** Whether a frame that stays quiet is given up before its deadline; not so on reliable streams. */
  readonly releaseQuiet: boolean;
}

export interface Reassembly {
  openStream(alias: number, stream: ReassemblyStream): void;
  closeStream(alias: number): void;
  /** Takes a slice; the payload is kept until its frame is released. `rttMs`: round-trip time of the path.
   * @throws ProtocolError sliceOutOfRange */
  add(header: SliceHeader, payload: Uint8Array, nowMs: number, rttMs: number): SliceReceipt;
  /** The sender has said that no more of this frame follows. */
  end(stream: number, frame: number): void;
  /** Frames to be released by `nowMs`, oldest first. */
  poll(nowMs: number): ReceivedFrame | undefined;
  /** When {@link poll} has something at the latest; Infinity where nothing waits. */
  nextTimeoutMs(): number;
  readonly frames: number;
  readonly bytes: number;
}

/** The bounds of the quiet time after which the rest of a frame counts as lost, in milliseconds. */
const minQuietMs = 6;
const maxQuietMs = 40;

interface OpenFrame {
  readonly stream: StreamState;
  readonly frame: number;
  readonly slices: HeldSlice[];
  readonly cover: SliceCover;
  bytes: number;
  firstArrivalMs: number;
  lastArrivalMs: number;
  capturedMs: number;
  rttMs: number;
}

interface StreamState extends ReassemblyStream {
  readonly alias: number;
  readonly open: Map<number, OpenFrame>;
  /** Frames released lately, in order. */
  readonly released: Set<number>;
  /** Every frame before this one counts as released. */
  floor: number;
  /** Smoothed time between two slices of one frame, in milliseconds. */
  gapMs: number;
}

export function createReassembly(): Reassembly {
  const streams = new Map<number, StreamState>();
  // Frames in the order of their first slice: the first one is the oldest.
  const order = new Set<OpenFrame>();
  const ready: OpenFrame[] = [];
  let bytes = 0;

  function release(frame: OpenFrame): void {
    if (!order.delete(frame)) return;
    const { stream } = frame;
    stream.open.delete(frame.frame);
    stream.released.add(frame.frame);
    if (stream.released.size > maxRememberedFrames) {
      const oldest = stream.released.values().next().value!;
      stream.released.delete(oldest);
      stream.floor = Math.max(stream.floor, oldest + 1);
    }
    ready.push(frame);
  }

  function dueMs(frame: OpenFrame): number {
    const { stream } = frame;
    const expiry = frame.capturedMs + stream.deadlineMs - frame.rttMs;
    if (!stream.releaseQuiet) return expiry;
    const quietMs = Math.min(maxQuietMs, Math.max(minQuietMs, 4 * stream.gapMs));
    return Math.min(expiry, frame.lastArrivalMs + quietMs);
  }

  function begin(stream: StreamState, frame: number, nowMs: number): OpenFrame {
    const opened: OpenFrame = {
      ...{ stream, frame, slices: [], cover: createSliceCover(), bytes: 0, rttMs: 0 },
      ...{ firstArrivalMs: nowMs, lastArrivalMs: nowMs, capturedMs: Number.POSITIVE_INFINITY },
    };
    stream.open.set(frame, opened);
    order.add(opened);
    return opened;
  }

  return {
    openStream(alias, stream) {
      streams.set(alias, { ...stream, alias, open: new Map(), released: new Set(), floor: 0, gapMs: 2 });
    },

    closeStream(alias) {
      for (const frame of streams.get(alias)?.open.values() ?? []) release(frame);
      streams.delete(alias);
    },

    add(header, payload, nowMs, rttMs) {
      const stream = streams.get(header.stream);
      if (!stream || header.frame < stream.floor || stream.released.has(header.frame)) return "late";
      // spec 5.2: a slice covers at least one unit.
      if (header.count > stream.units) {
        throw new ProtocolError(
          ErrorCode.sliceOutOfRange,
          `slice header: count ${header.count} is over the ${stream.units} units of the tensor`,
        );
      }
      let frame = stream.open.get(header.frame);
      if (payload.length + (frame?.bytes ?? 0) > stream.maxFrameBytes) return "too-large";
      frame ??= begin(stream, header.frame, nowMs);
      const { first, end } = sliceRange(header.index, header.count, stream.units);
      if (frame.cover.add(first, end) === 0) return "duplicate";
      frame.slices.push({ index: header.index, count: header.count, payload });
      if (frame.slices.length > 1) stream.gapMs += (nowMs - frame.lastArrivalMs - stream.gapMs) / 16;
      frame.lastArrivalMs = nowMs;
      frame.capturedMs = Math.min(frame.capturedMs, nowMs - header.ageMs);
      frame.rttMs = rttMs;
      frame.bytes += payload.length;
      bytes += payload.length;
      if (frame.cover.covered === stream.units) release(frame);
      while (order.size > maxFramesInReassembly || bytes > maxReassemblyBytes) {
        const oldest = order.values().next().value;
        if (!oldest) break;
        release(oldest);
      }
      return "taken";
    },

    end(alias, number) {
      const frame = streams.get(alias)?.open.get(number);
      if (frame) release(frame);
    },

    poll(nowMs) {
      for (const frame of order) {
        if (dueMs(frame) <= nowMs) release(frame);
      }
      const frame = ready.shift();
      if (!frame) return undefined;
      bytes -= frame.bytes;
      const { stream } = frame;
      return {
        ...{ stream: stream.alias, frame: frame.frame, slices: frame.slices, units: stream.units },
        ...{ unitsReceived: frame.cover.covered, firstArrivalMs: frame.firstArrivalMs },
        ...{ lastArrivalMs: frame.lastArrivalMs, capturedMs: frame.capturedMs },
        expiresAtMs: frame.capturedMs + stream.deadlineMs - frame.rttMs,
      };
    },

    nextTimeoutMs() {
      if (ready.length > 0) return Number.NEGATIVE_INFINITY;
      let next = Number.POSITIVE_INFINITY;
      for (const frame of order) next = Math.min(next, dueMs(frame));
      return next;
    },

    get frames() {
      return order.size + ready.length;
    },
    get bytes() {
      return bytes;
    },
  };
}
