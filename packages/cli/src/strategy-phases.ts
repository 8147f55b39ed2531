/** What became of the frames between one change of the strategy and the next. */
import type { AdaptiveOutcome, FrameOutcome, StrategySwitch } from "@sluice/client";

export interface StrategyPhase {
  /** Since the start of the run. */
  readonly fromSeconds: number;
  readonly candidate: string;
  readonly cause: string;
  readonly reason: string;
  readonly offered: number;
  readonly onTime: number;
  /** Those whose result is that of the work here, which made up for the candidate. */
  readonly rescued: number;
  /** Of the results, in milliseconds; null where there were none. */
  readonly p50Ms: number | null;
}

export interface StrategyPhases {
  begin(change: StrategySwitch, seconds: number): void;
  /** Frames that were not sent by a choice are not counted. */
  add(outcome: FrameOutcome & Partial<Pick<AdaptiveOutcome, "choice" | "candidate">>): void;
  readonly phases: readonly StrategyPhase[];
}

interface CountedPhase extends Omit<StrategyPhase, "p50Ms"> {
  offered: number;
  onTime: number;
  rescued: number;
  readonly latencies: number[];
}

/** A run of a day that changes its mind every second: the rest is counted in the last one. */
const maxPhases = 10_000;

export function createStrategyPhases(): StrategyPhases {
  const phases: CountedPhase[] = [];
  return {
    begin({ to, cause, reason }, seconds) {
      if (phases.length >= maxPhases) return;
      const fromSeconds = Math.round(seconds * 100) / 100;
      phases.push({
        fromSeconds,
        candidate: to,
        cause,
        reason,
        offered: 0,
        onTime: 0,
        rescued: 0,
        latencies: [],
      });
    },
    add(outcome) {
      // A result of the phase before may come in this one.
      const phase = phases.findLast(({ candidate }) => candidate === outcome.choice);
      if (!phase) return;
      phase.offered++;
      if (outcome.candidate !== outcome.choice) phase.rescued++;
      if (outcome.status !== "delivered") return;
      if (outcome.onTime) phase.onTime++;
      phase.latencies.push(outcome.latencyMs);
    },
    get phases() {
      return phases.map(({ latencies, ...phase }) => {
        const sorted = latencies.toSorted((a, b) => a - b);
        const p50 = sorted[sorted.length >> 1];
        return { ...phase, p50Ms: p50 === undefined ? null : Math.round(p50 * 100) / 100 };
      });
    },
  };
}
