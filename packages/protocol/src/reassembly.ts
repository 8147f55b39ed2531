/**
 * Collects the slices of frames until a frame is whole or waiting for the rest is of no use (spec 5.5).
 *
 * A frame is released
 * - complete, as soon as every unit has come;
 * - incomplete, when what is missing must be lost: the network does not send lost slices again, and it mostly keeps
 *   the order, so once the last slice of a frame (with forward error correction: its last repair symbol) or a slice of a
 *   later frame has come, only reordering can bring more;
 * - incomplete, when nothing at all comes any more;
 * - incomplete, at the last moment at which its result could still be in time;
 * - incomplete, when the bounds on frames or bytes are reached: the oldest goes first.
 */
import { sliceRange } from "@sluice/tensor";
import { ErrorCode, ProtocolError } from "./error-code.js";
import {
  heldSliceOverheadBytes,
  maxFramesInReassembly,
  maxRangesPerFrame,
  maxReassemblyBytes,
  maxRememberedFrames,
} from "./limits.js";
import { createQuietTime, type QuietTime } from "./quiet-time.js";
import { createSliceCover, type SliceCover } from "./slice-cover.js";
import type { SliceHeader } from "./slice-header.js";

/** A slice that waits for its frame. */
export interface HeldSlice {
  readonly index: number;
  readonly count: number;
  readonly payload: Uint8Array;
  /** When it came, in milliseconds of the receiver's clock. */
  readonly arrivalMs: number;
  /** It was lost, and forward error correction has brought it back. */
  readonly isRecovered: boolean;
}

/** What came of a frame. */
export interface ReceivedFrame {
  readonly stream: number;
  readonly frame: number;
  readonly slices: readonly HeldSlice[];
  /** Of the slices, those that forward error correction has brought back. */
  readonly slicesRecovered: number;
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

/**
 * What became of one slice; `too-large`: its frame would have more bytes than are
 * allowed; `scattered`: it is one of so many pieces between gaps that following them would cost too much.
 */
export type SliceReceipt = "taken" | "duplicate" | "late" | "too-large" | "scattered";

export interface ReassemblyStream {
  readonly units: number;
  /** Bytes that the slices of one frame may have together. */
  readonly maxFrameBytes: number;
  /** How long after its capture a result is useful. */
  readonly deadlineMs: number;
  /** Whether a frame that stays quiet is given up before its deadline; not so on reliable streams. */
  readonly releaseQuiet: boolean;
  /** Share of a frame's units below which it is not given up before its last moment, 0 to 1 (spec 5.9). */
  readonly minReceived: number;
  /** Frames whose datagrams one group of repair symbols may span; 0: none, as there is no forward error correction. */
  readonly fecSpan: number;
}

export interface Reassembly {
  openStream(alias: number, stream: ReassemblyStream): void;
  closeStream(alias: number): void;
  /**
   * Takes a slice; the payload is kept until its frame is released. `rttMs`: round-trip time of the path.
   * `isRecovered`: it was lost, and forward error correction has brought it back.
   * @throws ProtocolError sliceOutOfRange
   */
  add(
    header: SliceHeader,
    payload: Uint8Array,
    nowMs: number,
    rttMs: number,
    isRecovered?: boolean,
  ): SliceReceipt;
  /** A repair symbol came. What is missing of the frames that it may protect is lost once the last one has come. */
  repair(header: SliceHeader, nowMs: number): void;
  /** How long a frame is commonly worked on once it is released, in milliseconds: it is released early enough for that. */
  setProcessingMs(processingMs: number): void;
  /** The sender has said that no more of this frame follows. */
  end(stream: number, frame: number): void;
  /** Forgets what waits. */
  clear(): void;
  /** Frames to be released by `nowMs`, oldest first. */
  poll(nowMs: number): ReceivedFrame | undefined;
  /** When {@link poll} has something at the latest; Infinity where nothing waits. */
  nextTimeoutMs(): number;
  /** Frames of which a slice was taken, since the start. */
  begun(): number;
  /** Frames and bytes that are held, those included that are released and not taken yet. */
  frames(): number;
  bytes(): number;
}

/** Smaller payloads are copied, so that they do not keep a whole datagram or chunk in memory. */
const maxCopiedBytes = 256;
/** How long slices may come after later ones: at least, and at most, however late some came before. */
const minReorderMs = 4;
const maxReorderMs = 30;
/** Ages are whole milliseconds. */
const ageStepMs = 1;

/** How long a stream with forward error correction may be silent, for each frame that a group spans. */
const fecQuietMs = 60;

/** Of the deadline: a frame that waits for more leaves so much earlier, for its answer may have to be sent twice. */
const answerReserve = 0.1;
/** The work may take twice as long as it commonly does, or longer by this share of the deadline. */
const processingReserve = 0.1;

interface OpenFrame {
  readonly stream: StreamState;
  readonly frame: number;
  readonly slices: HeldSlice[];
  readonly cover: SliceCover;
  bytes: number;
  slicesRecovered: number;
  firstArrivalMs: number;
  lastArrivalMs: number;
  capturedMs: number;
  rttMs: number;
  /** When its last slice, or a slice of a later frame, came: what is missing then has been overtaken. */
  overtakenMs: number | undefined;
}

interface Released {
  /** Infinity where it was complete. */
  readonly atMs: number;
  readonly capturedMs: number;
  /** It had only slices to wait for that later ones had overtaken. */
  readonly wasOvertaken: boolean;
}

interface StreamState extends ReassemblyStream {
  readonly alias: number;
  readonly open: Map<number, OpenFrame>;
  /** Frames released lately, in order. */
  readonly released: Map<number, Released>;
  /** Every frame before this one counts as released. */
  floor: number;
  /** How long an overtaken slice is waited for, as this path has shown. */
  reorderMs: number;
  readonly quiet: QuietTime;
}

export function createReassembly(): Reassembly {
  const streams = new Map<number, StreamState>();
  // Frames in the order of their first slice: the first one is the oldest.
  const order = new Set<OpenFrame>();
  const ready: OpenFrame[] = [];
  // What the frames in `order` and those in `ready` hold.
  let openBytes = 0;
  let readyBytes = 0;
  let processingMs = 0;
  let begun = 0;

  function release(frame: OpenFrame, nowMs: number): void {
    if (!order.delete(frame)) return;
    frame.stream.open.delete(frame.frame);
    openBytes -= heldBytes(frame);
    makeReady(frame, nowMs);
  }

  function makeReady(frame: OpenFrame, nowMs: number): void {
    const { stream } = frame;
    const isComplete = frame.cover.covered === stream.units;
    const atMs = isComplete ? Number.POSITIVE_INFINITY : nowMs;
    const { capturedMs, overtakenMs } = frame;
    stream.released.set(frame.frame, { atMs, capturedMs, wasOvertaken: overtakenMs !== undefined });
    stream.reorderMs += (minReorderMs - stream.reorderMs) / 64;
    // Where nothing is lost, what is late is on its way.
    if (!isComplete) stream.quiet.forget();
    if (stream.released.size > maxRememberedFrames) {
      const oldest = stream.released.keys().next().value!;
      stream.released.delete(oldest);
      stream.floor = Math.max(stream.floor, oldest + 1);
    }
    ready.push(frame);
    readyBytes += heldBytes(frame);
  }

  function dueMs(frame: OpenFrame): number {
    const { stream } = frame;
    const reserve = Math.min(processingMs, processingReserve * stream.deadlineMs);
    const expiry = frame.capturedMs + stream.deadlineMs - frame.rttMs - processingMs - reserve;
    if (!stream.releaseQuiet) return expiry;
    if (frame.cover.covered < stream.minReceived * stream.units)
      return expiry - answerReserve * stream.deadlineMs;
    const { overtakenMs, lastArrivalMs } = frame;
    if (overtakenMs === undefined) return Math.min(expiry, lastArrivalMs + quietMs(stream));
    return Math.min(expiry, Math.max(overtakenMs, lastArrivalMs) + stream.reorderMs);
  }

  /** A slice of this frame has come: what is missing of those before it has been overtaken. */
  function overtake(stream: StreamState, newest: number, nowMs: number): void {
    for (const other of stream.open.values()) {
      if (other.frame + spanOf(stream) <= newest) other.overtakenMs ??= nowMs;
    }
  }

  function begin(stream: StreamState, frame: number, nowMs: number): OpenFrame {
    begun++;
    return {
      stream,
      frame,
      slices: [],
      cover: createSliceCover(),
      bytes: 0,
      slicesRecovered: 0,
      firstArrivalMs: nowMs,
      lastArrivalMs: nowMs,
      capturedMs: Number.POSITIVE_INFINITY,
      rttMs: 0,
      overtakenMs: undefined,
    };
  }

  return {
    openStream(alias, stream) {
      streams.set(alias, {
        ...stream,
        alias,
        open: new Map(),
        released: new Map(),
        floor: 0,
        reorderMs: minReorderMs,
        quiet: createQuietTime(),
      });
    },

    closeStream(alias) {
      for (const frame of streams.get(alias)?.open.values() ?? []) release(frame, frame.lastArrivalMs);
      streams.delete(alias);
    },

    add(header, payload, nowMs, rttMs, isRecovered = false) {
      const stream = streams.get(header.stream);
      if (!stream || header.frame < stream.floor) return "late";
      const released = stream.released.get(header.frame);
      if (released) {
        // Of a complete frame only duplicates come.
        if (released.atMs > nowMs) return "duplicate";
        if (isRecovered) return "late";
        // One that was sent again is late too, but the network has not held it back for so long.
        const missedByMs = nowMs - released.atMs;
        const heldBackMs = nowMs - header.ageMs - released.capturedMs;
        if (heldBackMs + ageStepMs >= missedByMs) {
          if (released.wasOvertaken) stream.reorderMs = Math.min(maxReorderMs, stream.reorderMs + missedByMs);
          else stream.quiet.addMiss(missedByMs);
        }
        return "late";
      }
      // spec 5.2: a slice covers at least one unit.
      if (header.count > stream.units) {
        throw new ProtocolError(
          ErrorCode.sliceOutOfRange,
          `slice header: count ${header.count} is over the ${stream.units} units of the tensor`,
        );
      }
      const { first, end } = sliceRange(header.index, header.count, stream.units);
      let frame = stream.open.get(header.frame);
      if (frame && frame.cover.ranges >= maxRangesPerFrame) return "scattered";
      if (frame?.cover.add(first, end) === 0) return "duplicate";
      if (payload.length + (frame?.bytes ?? 0) > stream.maxFrameBytes) return "too-large";
      const isFirst = frame === undefined;
      if (!frame) {
        frame = begin(stream, header.frame, nowMs);
        frame.cover.add(first, end);
      } else stream.quiet.addGap(nowMs - frame.lastArrivalMs);
      const kept = payload.length < maxCopiedBytes ? payload.slice() : payload;
      const { index, count } = header;
      frame.slices.push({ index, count, payload: kept, arrivalMs: nowMs, isRecovered });
      frame.lastArrivalMs = nowMs;
      if (isRecovered) frame.slicesRecovered++;
      // Repair symbols follow behind the last slice, and what they bring back overtakes nothing.
      if (end === stream.units && stream.fecSpan === 0) frame.overtakenMs ??= nowMs;
      if (!isRecovered && stream.open.size > 0) overtake(stream, header.frame, nowMs);
      frame.capturedMs = Math.min(frame.capturedMs, nowMs - header.ageMs);
      frame.rttMs = rttMs;
      frame.bytes += payload.length;
      const isComplete = frame.cover.covered === stream.units;
      if (isFirst && isComplete) {
        // It came in one slice, as small tensors do: it never waits.
        makeReady(frame, nowMs);
        return "taken";
      }
      if (isFirst) {
        stream.open.set(header.frame, frame);
        order.add(frame);
      }
      openBytes += payload.length + heldSliceOverheadBytes;
      if (isComplete) release(frame, nowMs);
      while (order.size > maxFramesInReassembly || openBytes > maxReassemblyBytes) {
        const oldest = order.values().next().value;
        if (!oldest) break;
        release(oldest, nowMs);
      }
      return "taken";
    },

    repair({ stream: alias, frame: newest, index, count }, nowMs) {
      const stream = streams.get(alias);
      for (const frame of stream?.open.values() ?? []) {
        if (frame.frame > newest) continue;
        if (frame.frame + spanOf(frame.stream) > newest) frame.lastArrivalMs = nowMs;
        if (index === count - 1) frame.overtakenMs ??= nowMs;
      }
    },

    setProcessingMs(ms) {
      processingMs = ms;
    },

    end(alias, number) {
      const frame = streams.get(alias)?.open.get(number);
      if (frame) release(frame, frame.lastArrivalMs);
    },

    clear() {
      streams.clear();
      order.clear();
      ready.length = 0;
      openBytes = 0;
      readyBytes = 0;
    },

    poll(nowMs) {
      for (const frame of order) {
        if (dueMs(frame) <= nowMs) release(frame, nowMs);
      }
      const frame = ready.shift();
      if (!frame) return undefined;
      readyBytes -= heldBytes(frame);
      const { stream } = frame;
      return {
        stream: stream.alias,
        frame: frame.frame,
        slices: frame.slices,
        slicesRecovered: frame.slicesRecovered,
        unitsReceived: frame.cover.covered,
        units: stream.units,
        firstArrivalMs: frame.firstArrivalMs,
        lastArrivalMs: frame.lastArrivalMs,
        capturedMs: frame.capturedMs,
        expiresAtMs: frame.capturedMs + stream.deadlineMs - frame.rttMs,
      };
    },

    nextTimeoutMs() {
      if (ready.length > 0) return Number.NEGATIVE_INFINITY;
      let next = Number.POSITIVE_INFINITY;
      for (const frame of order) next = Math.min(next, dueMs(frame));
      return next;
    },

    begun() {
      return begun;
    },
    frames() {
      return order.size + ready.length;
    },
    bytes() {
      return openBytes + readyBytes;
    },
  };
}

/** Repair symbols may come a frame's interval and more behind the slices, so their gaps are not what is waited for. */
function quietMs({ fecSpan, quiet }: StreamState): number {
  return fecSpan === 0 ? quiet.ms : fecSpan * fecQuietMs;
}

/** How many frames later a frame begins whose slices tell that nothing of a frame is to come. */
function spanOf({ fecSpan }: ReassemblyStream): number {
  return Math.max(1, fecSpan);
}

function heldBytes(frame: OpenFrame): number {
  return frame.bytes + frame.slices.length * heldSliceOverheadBytes;
}
