import type { FrameOutcome, FrameTimings } from "@sluice/client";

/** The figures of a run, as `--json` prints them. */
export interface StreamSummary {
  readonly offered: number;
  readonly admitted: number;
  readonly droppedAtGate: number;
  readonly expired: number;
  readonly delivered: number;
  /** Results within the deadline. */
  readonly onTime: number;
  /** Frames delivered of which something was concealed. */
  readonly concealedFrames: number;
  /** Share of all elements of the delivered frames that were concealed. */
  readonly concealedFraction: number;
  /** Slices of the delivered frames that forward error correction has brought back. */
  readonly slicesRecovered: number;
  /** From the capture to the result. */
  readonly latencyMs: {
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
    readonly max: number;
  };
  readonly bytesSent: number;
  readonly goodputBitsPerSecond: number;
  readonly rttMs: number | null;
  readonly accuracy: { readonly top1: number | null; readonly n: number };
  readonly dropReasons: Readonly<Record<string, number>>;
  readonly expiryReasons: Readonly<Record<string, number>>;
  /** Mean of each stage over the delivered frames. */
  readonly stagesMs: Readonly<Record<keyof FrameTimings, number>> | null;
  /** Frames that arrived whole but not as they were sent; only `sink` can tell. */
  readonly corrupt: number;
  readonly seconds: number;
  /** For each second of the run what became of the frames offered in it. */
  readonly timeline: readonly SecondOfStream[];
}

export interface SecondOfStream {
  readonly offered: number;
  readonly onTime: number;
  /** In time and with the right class, where that is known. */
  readonly right: number;
}

export interface StreamStatistics {
  /** @param offeredSeconds since the start of the run */
  add(outcome: FrameOutcome, offeredSeconds?: number): void;
  /** A delivered frame whose class is known. */
  addPrediction(isRight: boolean, onTime: boolean, offeredSeconds: number): void;
  addCorrupt(): void;
  summary(session: SessionFigures, seconds: number): StreamSummary;
}

/** What only the session knows. */
export interface SessionFigures {
  readonly bytesSent: number;
  readonly bytesDelivered: number;
  readonly rttMs: number | undefined;
}

/** A day; what comes later counts into the last one. */
const maxTimelineSeconds = 86_400;

export function createStreamStatistics(): StreamStatistics {
  const counts = {
    dropped: 0,
    expired: 0,
    delivered: 0,
    onTime: 0,
    concealedFrames: 0,
    slicesRecovered: 0,
    right: 0,
    judged: 0,
    corrupt: 0,
  };
  const timeline: { offered: number; onTime: number; right: number }[] = [];
  const dropReasons: Record<string, number> = {};
  const expiryReasons: Record<string, number> = {};
  const latencies: number[] = [];
  let concealed = 0;
  let stages: Record<keyof FrameTimings, number> | undefined;

  function secondOf(offeredSeconds: number) {
    const second = Math.min(maxTimelineSeconds, Math.floor(offeredSeconds));
    while (timeline.length <= second) timeline.push({ offered: 0, onTime: 0, right: 0 });
    return timeline[second]!;
  }

  return {
    add(outcome, offeredSeconds = 0) {
      const second = secondOf(offeredSeconds);
      second.offered++;
      if (outcome.status === "delivered" && outcome.onTime) second.onTime++;
      switch (outcome.status) {
        case "dropped":
          counts.dropped++;
          dropReasons[outcome.reason] = (dropReasons[outcome.reason] ?? 0) + 1;
          return;
        case "expired":
          counts.expired++;
          expiryReasons[outcome.reason] = (expiryReasons[outcome.reason] ?? 0) + 1;
          return;
        case "delivered": {
          counts.delivered++;
          if (outcome.onTime) counts.onTime++;
          if (outcome.concealedFraction > 0) counts.concealedFrames++;
          counts.slicesRecovered += outcome.slicesRecovered;
          concealed += outcome.concealedFraction;
          latencies.push(outcome.latencyMs);
          stages ??= {
            produce: 0,
            encode: 0,
            reassembly: 0,
            decode: 0,
            conceal: 0,
            queue: 0,
            inference: 0,
            network: 0,
          };
          for (const name of Object.keys(stages) as (keyof FrameTimings)[])
            stages[name] += outcome.timings[name];
          return;
        }
        default:
          outcome satisfies never;
      }
    },
    addPrediction(isRight, onTime, offeredSeconds) {
      counts.judged++;
      if (!isRight) return;
      counts.right++;
      if (onTime) secondOf(offeredSeconds).right++;
    },
    addCorrupt() {
      counts.corrupt++;
    },
    summary(session, seconds) {
      const { dropped, expired, delivered, judged } = counts;
      const admitted = expired + delivered;
      const sorted = latencies.toSorted((a, b) => a - b);
      const at = (share: number) =>
        round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0, 2);
      return {
        ...{
          offered: dropped + admitted,
          admitted,
          droppedAtGate: dropped,
          expired,
          delivered,
          onTime: counts.onTime,
        },
        concealedFrames: counts.concealedFrames,
        concealedFraction: delivered > 0 ? round(concealed / delivered, 6) : 0,
        slicesRecovered: counts.slicesRecovered,
        latencyMs: { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) },
        bytesSent: session.bytesSent,
        goodputBitsPerSecond: seconds > 0 ? Math.round((session.bytesDelivered * 8) / seconds) : 0,
        rttMs: session.rttMs === undefined ? null : round(session.rttMs, 2),
        accuracy: { top1: judged > 0 ? round(counts.right / judged, 4) : null, n: judged },
        ...{ dropReasons: { ...dropReasons }, expiryReasons: { ...expiryReasons } },
        stagesMs: stages ? meanStages(stages, delivered) : null,
        ...{ corrupt: counts.corrupt, seconds: round(seconds, 3) },
        timeline: timeline.map((entry) => ({ ...entry })),
      };
    },
  };
}

function meanStages(sums: Record<keyof FrameTimings, number>, n: number): Record<keyof FrameTimings, number> {
  return Object.fromEntries(
    Object.entries(sums).map(([name, sum]) => [name, round(sum / n, 2)]),
  ) as typeof sums;
}

function round(value: number, digits: number): number {
  const scale = 10 ** digits;
  return Math.round(value * scale) / scale;
}
