/** Gathers what the receiver of tensors tells their sender about the path (spec 5.6). */
import type { sluice } from "@sluice/proto";
import { maxReportedArrivals, maxReportedFrames } from "./limits.js";

export interface ReceiverReport {
  /** A datagram with slices arrived. */
  arrived(sequence: number, bytes: number, nowMs: number): void;
  /** Reassembly is done with a frame. */
  frameReceived(stream: number, frame: number, unitsReceived: number, units: number): void;
  /** When a report is due; Infinity where there is nothing to say. */
  nextTimeoutMs(): number;
  /** The report, and a fresh start. */
  take(queuedFrames: number, nowMs: number): sluice.v1.Feedback.$Properties;
}

/** Reports are gathered for so long, so that one serves a burst of datagrams. */
const gatherMs = 10;
/** Numbers of datagrams that are remembered to tell a reordered one from a duplicate. */
const windowSize = 4_096;

export function createReceiverReport(): ReceiverReport {
  const seen = new Uint8Array(windowSize);
  let datagramsReceived = 0;
  let bytesReceived = 0;
  let nextSequence = 0;
  let reportedUpTo = 0;
  let dueMs = Number.POSITIVE_INFINITY;
  let sequences: number[] = [];
  let times: number[] = [];
  let frames: sluice.v1.FrameReceipt.$Properties[] = [];

  function countLosses(): { lost: number; lossRuns: number } {
    let lost = 0;
    let lossRuns = 0;
    let inRun = false;
    for (let s = Math.max(reportedUpTo, nextSequence - windowSize); s < nextSequence; s++) {
      const missing = seen[s % windowSize] === 0;
      if (missing) lost++;
      if (missing && !inRun) lossRuns++;
      inRun = missing;
    }
    return { lost, lossRuns };
  }

  return {
    arrived(sequence, bytes, nowMs) {
      // A jump beyond the window says nothing about single datagrams; clearing all of it is enough.
      const clearFrom = Math.max(nextSequence, sequence - windowSize + 1);
      for (let s = clearFrom; s <= sequence; s++) seen[s % windowSize] = 0;
      nextSequence = Math.max(nextSequence, sequence + 1);
      if (sequence >= nextSequence - windowSize) seen[sequence % windowSize] = 1;
      datagramsReceived++;
      bytesReceived += bytes;
      sequences.push(sequence);
      times.push(tenths(nowMs));
      if (sequences.length > maxReportedArrivals) {
        sequences.shift();
        times.shift();
      }
      dueMs = Math.min(dueMs, nowMs + gatherMs);
    },

    frameReceived(stream, frame, unitsReceived, units) {
      frames.push({ stream, frame, unitsReceived, units });
      if (frames.length > maxReportedFrames) frames.shift();
    },

    nextTimeoutMs: () => dueMs,

    take(queuedFrames, nowMs) {
      const report = {
        ...{ datagramsReceived, bytesReceived, nextSequence, ...countLosses() },
        ...{ arrivalSequences: sequences, arrivalTimes: times, queuedFrames, frames },
        reportTime: tenths(nowMs),
      };
      reportedUpTo = nextSequence;
      dueMs = Number.POSITIVE_INFINITY;
      sequences = [];
      times = [];
      frames = [];
      return report;
    },
  };
}

function tenths(ms: number): number {
  return Math.round(ms * 10) >>> 0;
}
