import type { FrameOutcome } from "./frame-outcome.js";

/** Frames by how they ended: `offered` = `dropped` + `expired` + `delivered` + `failed` + `inFlight`. */
export interface FrameCounts {
  readonly offered: number;
  readonly dropped: number;
  readonly expired: number;
  readonly delivered: number;
  readonly onTime: number;
  /** Frames on which a part of the client threw, or that were under way when a pipeline was ended. */
  readonly failed: number;
  readonly inFlight: number;
}

type RunningCounts = { -readonly [Count in keyof FrameCounts]: number };

export function createFrameCounts(): RunningCounts {
  return { offered: 0, dropped: 0, expired: 0, delivered: 0, onTime: 0, failed: 0, inFlight: 0 };
}

/** A frame has ended so. */
export function countOutcome(counts: RunningCounts, outcome: FrameOutcome): void {
  counts[outcome.status]++;
  if (outcome.status === "delivered" && outcome.onTime) counts.onTime++;
}
