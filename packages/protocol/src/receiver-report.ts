/** Gathers what the receiver of tensors tells their sender about the path (spec 5.6). */
import type { sluice } from "@sluice/proto";
import { encodeControl } from "./control-message.js";
import { maxReportedArrivals, maxReportedBits, maxReportedFrames } from "./limits.js";

export interface ReceiverReport {
  /** A datagram with slices arrived. */
  arrived(sequence: number, bytes: number, nowMs: number): void;
  /** A datagram that was lost has been recovered: it need not be sent again. */
  recovered(sequence: number): void;
  /** Reassembly is done with a frame: a reason to report soon. */
  frameReceived(stream: number, frame: number, unitsReceived: number, units: number, nowMs: number): void;
  /** Share of the datagrams that have not come, 0 to 1; 0 before there were enough to tell. */
  lossShare(): number;
  /** When a report is due; Infinity where there is nothing to say. */
  nextTimeoutMs(): number;
  /** From when on it goes with a result that leaves; Infinity where there is nothing to say. */
  rideMs(): number;
  /** The report, as a message of at most `maxBytes`, and a fresh start. */
  take(queuedFrames: number, maxBytes: number, nowMs: number): sluice.v1.Feedback.$Properties;
}

/** Reports are gathered for so long, so that one serves a burst of datagrams. */
const gatherMs = 10;
/** So much sooner where it saves a datagram of its own: small frames in a row answer faster than that. */
const rideBeforeMs = 2;
/** Of fewer datagrams a share says nothing. */
const minShareDatagrams = 64;
/** What a report takes at most, with what wraps it: two totals, five numbers, two maps; a few numbers for each entry of its lists. */
const fixedBytes = 2 * 11 + 5 * 6 + 2 * (2 + maxReportedBits / 8) + 3 * 4;
const arrivalBytes = 2 * 5;
const frameBytes = 2 + 4 * 6;
/** Numbers of datagrams that are remembered to tell a reordered one from a duplicate. */
const windowSize = 4_096;

export function createReceiverReport(): ReceiverReport {
  const seen = new Uint8Array(windowSize);
  const restored = new Uint8Array(windowSize);
  /** Forward error correction has brought something back, which most streams do without. */
  let hasRestored = false;
  let datagramsReceived = 0;
  let bytesReceived = 0;
  let nextSequence = 0;
  let lost = 0;
  let lossRuns = 0;
  let reportedMs = Number.NEGATIVE_INFINITY;
  let dueMs = Number.POSITIVE_INFINITY;
  /** From when on a result takes it along, although it is not due. */
  let rideMs = Number.POSITIVE_INFINITY;
  let arrivals: { readonly sequence: number; readonly atMs: number }[] = [];
  let frames: sluice.v1.FrameReceipt.$Properties[] = [];

  const hasCome = (sequence: number) => sequence < 0 || seen[sequence % windowSize] === 1;

  /** A number behind the highest one: it was counted as lost, unless it comes twice. */
  function fillGap(sequence: number): void {
    if (sequence < nextSequence - windowSize + 2 || hasCome(sequence)) return;
    seen[sequence % windowSize] = 1;
    lost--;
    // The run that it was in ends sooner, becomes two, or vanishes.
    lossRuns += 1 - Number(hasCome(sequence - 1)) - Number(hasCome(sequence + 1));
  }

  function openGap(sequence: number): void {
    lost += sequence - nextSequence;
    if (sequence > nextSequence) lossRuns++;
    // A jump beyond the window says nothing about single datagrams; clearing all of it is enough.
    for (let s = Math.max(nextSequence, sequence - windowSize + 1); s <= sequence; s++) {
      seen[s % windowSize] = 0;
      restored[s % windowSize] = 0;
    }
    seen[sequence % windowSize] = 1;
    nextSequence = sequence + 1;
  }

  /** The last datagrams that are marked, without zeros at the end where `isShort`. */
  function bitsOf(isMarked: (sequence: number) => boolean, isShort: boolean): Uint8Array {
    const count = Math.min(nextSequence, maxReportedBits);
    const bits = new Uint8Array(Math.ceil(count / 8));
    let used = isShort ? 0 : bits.length;
    for (let i = 0; i < count; i++) {
      if (!isMarked(nextSequence - 1 - i)) continue;
      bits[i >> 3]! |= 1 << (i & 7);
      used = Math.max(used, (i >> 3) + 1);
    }
    return bits.subarray(0, used);
  }

  function compose(queuedFrames: number, arrivalCount: number, frameCount: number, reportTime: number) {
    let sequence = nextSequence;
    let time = reportTime;
    const arrivalSequences: number[] = [];
    const arrivalTimes: number[] = [];
    for (const arrival of arrivals.slice(arrivals.length - arrivalCount)) {
      arrivalSequences.push(arrival.sequence - sequence);
      arrivalTimes.push((tenths(arrival.atMs) - time) | 0);
      sequence = arrival.sequence;
      time = tenths(arrival.atMs);
    }
    return {
      datagramsReceived,
      bytesReceived,
      nextSequence,
      lost,
      lossRuns,
      arrivalSequences,
      arrivalTimes,
      queuedFrames,
      frames: frames.slice(frames.length - frameCount),
      reportTime,
      received: bitsOf(hasCome, false),
      recovered: hasRestored
        ? bitsOf((each) => restored[each % windowSize] === 1 && !hasCome(each), true)
        : none,
    };
  }

  return {
    arrived(sequence, bytes, nowMs) {
      if (sequence < nextSequence) fillGap(sequence);
      else openGap(sequence);
      datagramsReceived++;
      bytesReceived += bytes;
      arrivals.push({ sequence, atMs: nowMs });
      if (arrivals.length > maxReportedArrivals) arrivals.shift();
      dueMs = Math.min(dueMs, nowMs + gatherMs);
    },

    recovered(sequence) {
      if (sequence >= nextSequence || sequence <= nextSequence - windowSize) return;
      restored[sequence % windowSize] = 1;
      hasRestored = true;
    },

    frameReceived(stream, frame, unitsReceived, units, nowMs) {
      frames.push({ stream, frame, unitsReceived, units });
      if (frames.length > maxReportedFrames) frames.shift();
      const soonestMs = Math.max(nowMs, reportedMs + gatherMs);
      if (unitsReceived < units) {
        // Whoever waits to send again what is missing learns it sooner; the interval between reports stays.
        dueMs = Math.min(dueMs, soonestMs);
        return;
      }
      // Nobody waits for it: where the result follows soon it saves a datagram, and a wake of every thread on its way.
      dueMs = Math.min(dueMs, nowMs + gatherMs);
      rideMs = Math.min(rideMs, Math.max(nowMs, soonestMs - rideBeforeMs));
    },

    lossShare() {
      return nextSequence < minShareDatagrams ? 0 : lost / nextSequence;
    },

    nextTimeoutMs: () => dueMs,
    rideMs: () => Math.min(rideMs, dueMs - rideBeforeMs),

    take(queuedFrames, maxBytes, nowMs) {
      const reportTime = tenths(nowMs);
      let arrivalCount = arrivals.length;
      let frameCount = frames.length;
      let report = compose(queuedFrames, arrivalCount, frameCount, reportTime);
      while (
        arrivalCount + frameCount > 0 &&
        mostReportBytes(arrivalCount, frameCount) > maxBytes &&
        encodeControl({ kind: "feedback", body: report }).length > maxBytes
      ) {
        // The oldest go first, by halves: the message need not be measured for each.
        arrivalCount >>= 1;
        frameCount >>= 1;
        report = compose(queuedFrames, arrivalCount, frameCount, reportTime);
      }
      reportedMs = nowMs;
      dueMs = Number.POSITIVE_INFINITY;
      rideMs = Number.POSITIVE_INFINITY;
      arrivals = [];
      frames = [];
      return report;
    },
  };
}

const none = new Uint8Array(0);

/** The bytes of a report with so many arrivals and frames at most: where there is room for them nobody has to measure it. */
export function mostReportBytes(arrivals: number, frames: number): number {
  return fixedBytes + arrivals * arrivalBytes + frames * frameBytes;
}

function tenths(ms: number): number {
  return Math.round(ms * 10) >>> 0;
}
