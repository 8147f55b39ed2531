import { Counter, type Registry } from "prom-client";
import { createHistogram } from "./histogram.js";
import { createLabelLimit } from "./label-limit.js";
import { createSeriesCounter } from "./series-counter.js";

/** The moments at which the age of a frame since its capture is observed. */
export type FrameAgePoint = "inference" | "result";

/** The metrics of frames and slices that servers and clients have in common. */
export interface FrameMetrics {
  observeFrame(outcome: string, reason?: string): void;
  observeStage(stage: string, durationMs: number): void;
  observeFrameAge(at: FrameAgePoint, ageMs: number): void;
  observeConcealedRatio(ratio: number): void;
  observeSlicesReceived(count: number): void;
  observeSlicesRecovered(count: number): void;
  /** Runs the observation when the number is sound, and counts it as a defect otherwise. */
  sound(value: number, observe: (value: number) => void): void;
  /** Whether it is sound; where not, it is counted as a defect. */
  isSound(value: number): boolean;
}

/** The value of `reason` where there is none: an empty label is the same as no label. */
const NO_REASON = "none";
/** Reasons come from a registry of a few dozen. */
export const MAX_REASONS = 48;

/** 0.1 ms (a decode) to 2.5 s (a frame that is long useless). */
const STAGE_BUCKETS_S = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5,
];
/** Frame by frame at 30 Hz: deadlines lie between 30 ms and 1 s, so that is where the resolution is. */
const AGE_BUCKETS_S = [
  0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.065, 0.08, 0.1, 0.125, 0.15, 0.2, 0.3, 0.5, 1, 2.5,
];
const RATIO_BUCKETS = [0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1];

/**
 * Registers them. The series that are named start at 0, since a rate over a series that appears later misses its first
 * event.
 */
export function createFrameMetrics(
  registry: Registry,
  outcomes: readonly string[],
  stages: readonly string[],
  ages: readonly FrameAgePoint[],
): FrameMetrics {
  const registers = [registry];
  const frames = createSeriesCounter(registry, {
    name: "sluice_frames_total",
    help: "Frames by their outcome and the reason for it.",
    labels: ["outcome", "reason"],
  });
  const stageSeconds = createHistogram(registry, {
    name: "sluice_stage_duration_seconds",
    help: "Time that a frame spent in a stage.",
    buckets: STAGE_BUCKETS_S,
    label: { name: "stage", values: stages },
  });
  const ageSeconds = createHistogram(registry, {
    name: "sluice_frame_age_seconds",
    help: "Age of a frame since its capture, when inference starts and when its result is there.",
    buckets: AGE_BUCKETS_S,
    label: { name: "at", values: ages },
  });
  const concealedRatio = createHistogram(registry, {
    name: "sluice_concealed_elements_ratio",
    help: "Share of a frame's elements that were concealed.",
    buckets: RATIO_BUCKETS,
  });
  const slicesReceived = new Counter({
    name: "sluice_slices_received_total",
    help: "Slices that arrived and were taken.",
    registers,
  });
  const slicesRecovered = new Counter({
    name: "sluice_slices_recovered_total",
    help: "Slices that were lost and that repair symbols brought back.",
    registers,
  });
  const invalid = new Counter({
    name: "sluice_invalid_observations_total",
    help: "Observations left out because they were negative or not finite: a defect of the program.",
    registers,
  });
  for (const outcome of outcomes) frames.add(0, outcome, NO_REASON);
  const frameReason = createLabelLimit(MAX_REASONS, [NO_REASON]);

  function isSound(value: number): boolean {
    const isFine = value >= 0 && value < Number.POSITIVE_INFINITY;
    if (!isFine) invalid.inc();
    return isFine;
  }

  function sound(value: number, observe: (value: number) => void): void {
    if (isSound(value)) observe(value);
  }

  return {
    observeFrame: (outcome, reason = "") => frames.add(1, outcome, frameReason(reason || NO_REASON)),
    observeStage(stage, durationMs) {
      if (isSound(durationMs)) stageSeconds.observe(durationMs / 1000, stage);
    },
    observeFrameAge(at, ageMs) {
      if (isSound(ageMs)) ageSeconds.observe(ageMs / 1000, at);
    },
    observeConcealedRatio(ratio) {
      if (isSound(ratio)) concealedRatio.observe(ratio);
    },
    observeSlicesReceived: (count) => sound(count, (n) => slicesReceived.inc(n)),
    observeSlicesRecovered: (count) => sound(count, (n) => slicesRecovered.inc(n)),
    ...{ sound, isSound },
  };
}
