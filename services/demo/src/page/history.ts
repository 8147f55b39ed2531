/** What the plots show: frames and figures of the last minute in steps of half a second. No DOM, no clock. */
import type { FrameTimings } from "@sluice/client";
import type { FrameEnd, StreamFigures } from "./messages.js";

/** One step of the plots; null where nothing is known. */
export interface HistoryStep {
  readonly atSeconds: number;
  readonly onTimePercent: number | null;
  readonly medianMs: number | null;
  readonly latePercentileMs: number | null;
  readonly bandwidthMegabits: number | null;
  readonly usedMegabits: number | null;
  readonly bytesPerFrame: number | null;
  readonly lostPercent: number | null;
  readonly concealedPercent: number | null;
  readonly repairedPercent: number | null;
  readonly accuracyPercent: number | null;
}

/** Of the last seconds, for the tiles; null where nothing is known. */
export interface HistorySummary {
  readonly onTimePercent: number | null;
  readonly medianMs: number | null;
  readonly framesPerSecond: number;
  readonly bytesPerFrame: number | null;
  readonly concealedPercent: number | null;
  readonly accuracyPercent: number | null;
  readonly accuracyCount: number;
  readonly stages: Readonly<Record<keyof FrameTimings, number>> | undefined;
}

export interface History {
  addFrame(end: FrameEnd): void;
  addFigures(figures: StreamFigures, atMs: number): void;
  /** Ends a step. */
  step(atMs: number): void;
  readonly steps: readonly HistoryStep[];
  summary(nowMs: number): HistorySummary;
}

const maxSteps = 120;
const summaryMs = 5_000;
const stagesMs = 1_000;

export function createHistory(): History {
  const steps: HistoryStep[] = [];
  /** Of the last `summaryMs`. */
  let recent: FrameEnd[] = [];
  let stepFrames: FrameEnd[] = [];
  let figures: StreamFigures | undefined;
  let before: { readonly figures: StreamFigures; readonly atMs: number } | undefined;
  let bytesPerFrame: number | null = null;

  return {
    steps,
    addFrame(end) {
      recent.push(end);
      stepFrames.push(end);
    },
    addFigures(latest) {
      figures = latest;
    },
    step(atMs) {
      // Counters that fall belong to another connection.
      const since = before && figures && figures.bytesSent >= before.figures.bytesSent ? before : undefined;
      const seconds = since ? (atMs - since.atMs) / 1_000 : 0;
      const bytes = since && figures ? figures.bytesSent - since.figures.bytesSent : 0;
      const admitted = since && figures ? figures.admitted - since.figures.admitted : 0;
      const packets = since && figures ? figures.packets - since.figures.packets : 0;
      const lost = since && figures ? figures.packetsLost - since.figures.packetsLost : 0;
      if (admitted > 0) bytesPerFrame = bytes / admitted;
      const latencies = latenciesOf(stepFrames);
      const { bandwidthBitsPerSecond } = figures ?? {};
      steps.push({
        atSeconds: atMs / 1_000,
        onTimePercent: percentOf(stepFrames, ({ onTime }) => onTime),
        ...{ medianMs: quantile(latencies, 0.5), latePercentileMs: quantile(latencies, 0.95) },
        bandwidthMegabits: bandwidthBitsPerSecond === undefined ? null : bandwidthBitsPerSecond / 1e6,
        usedMegabits: seconds > 0 ? (bytes * 8) / seconds / 1e6 : null,
        bytesPerFrame: admitted > 0 ? bytes / admitted : null,
        lostPercent: packets > 0 ? (100 * lost) / packets : null,
        concealedPercent: meanOf(delivered(stepFrames), ({ concealedFraction }) => 100 * concealedFraction),
        repairedPercent: percentOf(delivered(stepFrames), ({ slicesRecovered }) => slicesRecovered > 0),
        accuracyPercent: percentOf(judged(recent), ({ isRight }) => isRight === true),
      });
      if (steps.length > maxSteps) steps.shift();
      stepFrames = [];
      if (figures) before = { figures, atMs };
    },
    summary(nowMs) {
      recent = recent.filter(({ atMs }) => atMs >= nowMs - summaryMs);
      const known = judged(recent);
      const staged = delivered(recent).filter(({ atMs }) => atMs >= nowMs - stagesMs);
      const spanMs = Math.min(summaryMs, Math.max(1, nowMs - (recent[0]?.atMs ?? nowMs)));
      return {
        onTimePercent: percentOf(recent, ({ onTime }) => onTime),
        medianMs: quantile(latenciesOf(recent), 0.5),
        framesPerSecond: (1_000 * delivered(recent).length) / spanMs,
        bytesPerFrame,
        concealedPercent: meanOf(delivered(recent), ({ concealedFraction }) => 100 * concealedFraction),
        accuracyPercent: percentOf(known, ({ isRight }) => isRight === true),
        accuracyCount: known.length,
        stages: meanStages(staged),
      };
    },
  };
}

const delivered = (frames: readonly FrameEnd[]) => frames.filter(({ status }) => status === "delivered");
const judged = (frames: readonly FrameEnd[]) => frames.filter(({ isRight }) => isRight !== undefined);
const latenciesOf = (frames: readonly FrameEnd[]) =>
  delivered(frames)
    .map(({ latencyMs }) => latencyMs)
    .sort((a, b) => a - b);

function quantile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
}

function percentOf(frames: readonly FrameEnd[], holds: (end: FrameEnd) => boolean): number | null {
  return frames.length === 0 ? null : (100 * frames.filter(holds).length) / frames.length;
}

function meanOf(frames: readonly FrameEnd[], value: (end: FrameEnd) => number): number | null {
  return frames.length === 0 ? null : frames.reduce((sum, end) => sum + value(end), 0) / frames.length;
}

function meanStages(frames: readonly FrameEnd[]): HistorySummary["stages"] {
  const found = frames.map(({ timings }) => timings).filter((timings) => timings !== undefined);
  if (found.length === 0) return undefined;
  const mean = (name: keyof FrameTimings) =>
    found.reduce((sum, timings) => sum + timings[name], 0) / found.length;
  return {
    ...{ produce: mean("produce"), encode: mean("encode"), network: mean("network") },
    ...{ reassembly: mean("reassembly"), decode: mean("decode"), conceal: mean("conceal") },
    ...{ queue: mean("queue"), inference: mean("inference") },
  };
}
