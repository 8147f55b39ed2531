/**
 * Finds out which slices were lost and which of them are worth sending again (spec 5.9). A frame of which enough has
 * come needs none: what is missing is concealed.
 */
import type { sluice } from "@sluice/proto";
import { createFrameTable } from "./frame-table.js";
import { maxTrackedDatagrams } from "./limits.js";
import { hasArrived, wasRecovered } from "./report-arrivals.js";
import type { OutgoingFrame, OutgoingSlice } from "./send-buffer.js";

export interface Repairer {
  /** A slice has left. `minReceived`: share of its frame that is to come, 0 to 1; 0 means any of it. */
  sent(
    sequence: number,
    frame: OutgoingFrame,
    slice: OutgoingSlice,
    minReceived: number,
    nowMs: number,
  ): void;
  handleReport(report: sluice.v1.Feedback, nowMs: number): void;
  /** The frame has ended. */
  forget(stream: number, frame: number): void;
  /** The lost slices of a frame that needs them; they count as on their way again. */
  poll(patience: RepairPatience, nowMs: number): OutgoingFrame | undefined;
  /** When {@link poll} has something without a report; Infinity where nothing waits. */
  nextTimeoutMs(patience: RepairPatience): number;
  /** Slices that were sent again. */
  readonly slicesRepeated: number;
}

/** How long a report may take, in milliseconds. */
export interface RepairPatience {
  readonly rttMs: number;
  readonly rttVariationMs: number;
}

/** What was overtaken by so many datagrams, or by one that left so much later, is lost (RFC 9002 6.1). */
const overtakenDatagrams = 8;
const overtakenMs = 8;
/** A report is expected a round trip after a frame that came whole, as it ends the gathering; other ones are gathered. */
const minSlackMs = 6;
const gatherMs = 10;

interface Piece {
  readonly of: FrameState;
  readonly slice: OutgoingSlice;
  state: "out" | "lost" | "received";
  /** The datagram that it left in last. */
  sequence: number;
}

interface FrameState {
  readonly frame: OutgoingFrame;
  readonly minReceived: number;
  readonly pieces: Piece[];
  lostShare: number;
  receivedShare: number;
  outShare: number;
  lastSentMs: number;
  /** What was sent again last, and goes once more at `frame.copyAtMs`. */
  toCopy: readonly Piece[];
}

interface SentDatagram {
  readonly sequence: number;
  readonly sentMs: number;
  readonly pieces: Piece[];
}

export function createRepairer(): Repairer {
  const frames = createFrameTable<FrameState>();
  // In the order of their numbers.
  let datagrams: SentDatagram[] = [];
  const wanting = new Set<FrameState>();
  let slicesRepeated = 0;
  let newestArrivedMs = Number.NEGATIVE_INFINITY;

  function drop(state: FrameState): void {
    frames.take(state.frame.stream, state.frame.frame);
    wanting.delete(state);
  }

  function move(piece: Piece, to: Piece["state"]): void {
    const state = piece.of;
    const share = 1 / piece.slice.count;
    if (piece.state === "out") state.outShare -= share;
    else if (piece.state === "lost") state.lostShare -= share;
    if (to === "out") state.outShare += share;
    else if (to === "lost") state.lostShare += share;
    else state.receivedShare += share;
    piece.state = to;
  }

  /** `arrived`: by itself or out of repair symbols. */
  function settle({ sequence, pieces }: SentDatagram, arrived: boolean): void {
    for (const piece of pieces) {
      const state = piece.of;
      // Of a slice that has left again, the loss of an earlier copy says nothing.
      if (piece.state === "received" || (!arrived && piece.sequence !== sequence)) continue;
      move(piece, arrived ? "received" : "lost");
      if (frames.get(state.frame.stream, state.frame.frame) !== state) continue;
      if (arrived && isSatisfied(state)) drop(state);
      else if (!arrived && needsRepair(state)) wanting.add(state);
    }
  }

  function frameDueMs(state: FrameState, { rttMs, rttVariationMs }: RepairPatience): number {
    // Only a frame that has left wholly, and of which nothing is known. One that lost a part of its datagrams is not whole,
    // so that its report is gathered: its datagrams are waited for.
    const isSilent = state.receivedShare === 0 && state.lostShare < epsilon && state.outShare > 1 - epsilon;
    return isSilent && isOneDatagram(state)
      ? state.lastSentMs + rttMs + Math.max(minSlackMs, 4 * rttVariationMs)
      : Number.POSITIVE_INFINITY;
  }

  function datagramDueMs({ sentMs }: SentDatagram, { rttMs, rttVariationMs }: RepairPatience): number {
    return sentMs + rttMs + gatherMs + Math.max(minSlackMs, 4 * rttVariationMs);
  }

  function giveUpLate(patience: RepairPatience, nowMs: number): void {
    let late = 0;
    while (late < datagrams.length && datagramDueMs(datagrams[late]!, patience) <= nowMs)
      settle(datagrams[late++]!, false);
    if (late > 0) datagrams.splice(0, late);
    for (let i = 0; i < frames.size; ) {
      const state = frames.values[i]!;
      if (state.frame.expiresAtMs <= nowMs) {
        drop(state);
        continue;
      }
      i++;
      if (frameDueMs(state, patience) > nowMs) continue;
      for (const piece of state.pieces) move(piece, "lost");
      wanting.add(state);
    }
  }

  function repeat(state: FrameState, pieces: readonly Piece[], nowMs: number): OutgoingFrame {
    state.lastSentMs = nowMs;
    slicesRepeated += pieces.length;
    return { ...state.frame, slices: pieces.map(({ slice }) => slice) };
  }

  return {
    sent(sequence, frame, slice, minReceived, nowMs) {
      let state = frames.get(frame.stream, frame.frame);
      if (!state) {
        state = {
          frame,
          minReceived,
          pieces: [],
          lostShare: 0,
          receivedShare: 0,
          outShare: 0,
          lastSentMs: nowMs,
          toCopy: none,
        };
        frames.set(frame.stream, frame.frame, state);
      }
      // Only what is sent again has been seen: there its frame is one of {@link Repairer.poll}.
      let piece = frame === state.frame ? undefined : state.pieces.find((each) => each.slice === slice);
      if (!piece) {
        piece = { of: state, slice, state: "out", sequence };
        state.pieces.push(piece);
        state.outShare += 1 / slice.count;
      }
      piece.sequence = sequence;
      state.lastSentMs = nowMs;
      const datagram = datagrams.at(-1);
      if (datagram?.sequence === sequence) datagram.pieces.push(piece);
      else datagrams.push({ sequence, sentMs: nowMs, pieces: [piece] });
      if (datagrams.length > maxTrackedDatagrams) datagrams.shift();
    },

    handleReport(report, _nowMs) {
      for (const { stream, frame } of report.frames) {
        const state = frames.get(stream ?? 0, frame ?? 0);
        // It is released: what comes now comes too late.
        if (state) drop(state);
      }
      const { nextSequence } = report;
      datagrams = datagrams.filter((datagram) => {
        const { sequence, sentMs } = datagram;
        if (sequence >= nextSequence) return true;
        const hasCome = hasArrived(report, sequence);
        if (hasCome) newestArrivedMs = Math.max(newestArrivedMs, sentMs);
        if (!hasCome && !wasRecovered(report, sequence)) return true;
        settle(datagram, true);
        return false;
      });
      datagrams = datagrams.filter((datagram) => {
        const { sequence, sentMs } = datagram;
        if (sequence >= nextSequence) return true;
        const isOvertaken =
          nextSequence - 1 - sequence >= overtakenDatagrams || newestArrivedMs - sentMs >= overtakenMs;
        if (isOvertaken) settle(datagram, false);
        return !isOvertaken;
      });
    },

    forget(stream, frame) {
      const state = frames.get(stream, frame);
      if (state) drop(state);
    },

    poll(patience, nowMs) {
      giveUpLate(patience, nowMs);
      for (const state of wanting) {
        wanting.delete(state);
        const lost = state.pieces.filter((piece) => piece.state === "lost");
        for (const piece of lost) move(piece, "out");
        state.toCopy = copyMs(state) > nowMs ? lost : none;
        if (lost.length > 0) return repeat(state, lost, nowMs);
      }
      for (const state of frames.values) {
        if (state.toCopy.length === 0 || copyMs(state) > nowMs) continue;
        const unknown = state.toCopy.filter((piece) => piece.state === "out");
        state.toCopy = none;
        if (unknown.length > 0) return repeat(state, unknown, nowMs);
      }
      return undefined;
    },

    nextTimeoutMs(patience) {
      if (wanting.size > 0) return Number.NEGATIVE_INFINITY;
      let next = Number.POSITIVE_INFINITY;
      if (datagrams.length > 0) next = datagramDueMs(datagrams[0]!, patience);
      for (const state of frames.values) {
        next = Math.min(next, frameDueMs(state, patience), state.frame.expiresAtMs);
        if (state.toCopy.length > 0) next = Math.min(next, copyMs(state));
      }
      return next;
    },

    get slicesRepeated() {
      return slicesRepeated;
    },
  };
}

const epsilon = 1e-6;
const none: readonly Piece[] = [];

function copyMs({ frame }: FrameState): number {
  return frame.copyAtMs ?? Number.NEGATIVE_INFINITY;
}

/** All that was sent of the frame left in one datagram. */
function isOneDatagram({ pieces }: FrameState): boolean {
  let sequence: number | undefined;
  for (const piece of pieces) {
    sequence ??= piece.sequence;
    if (piece.sequence !== sequence) return false;
  }
  return true;
}

function isSatisfied({ minReceived, receivedShare }: FrameState): boolean {
  return receivedShare >= (minReceived === 0 ? epsilon : minReceived);
}

/** Losses come on: half of what may be missing is kept for those that are not known yet. */
function needsRepair({ minReceived, lostShare }: FrameState): boolean {
  return lostShare > (minReceived === 0 ? 1 - epsilon : (1 - minReceived) / 2);
}
