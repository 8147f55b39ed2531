/** What many traces say together: where the time goes, and which stage made the late frames late. */
import { besideOthers, type Stage, stages } from "./frame-trace.js";
import { type JoinedTrace, quantiles } from "./join-traces.js";

export interface StageSummary {
  readonly stage: Stage;
  /** Frames that have passed it. */
  readonly frames: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  /** Late frames that this stage made late. */
  readonly blamed: number;
}

export interface TraceSummary {
  readonly frames: number;
  readonly late: number;
  /** Frames that both ends have traced. */
  readonly joined: number;
  readonly sessions: number;
  /** How frames ended, by outcome and reason: `expired (no-result)`. */
  readonly ends: Readonly<Record<string, number>>;
  readonly stages: readonly StageSummary[];
}

/** @param usual what {@link usualTimes} says of them */
export function summarizeTraces(
  traces: readonly JoinedTrace[],
  usual: ReadonlyMap<Stage, number> = usualTimes(traces),
): TraceSummary {
  const times = new Map<Stage, number[]>();
  const blamed = new Map<Stage, number>();
  const ends: Record<string, number> = {};
  for (const trace of traces) {
    const { outcome, reason, isLate } = trace.main;
    const end = reason === "" ? outcome : `${outcome} (${reason})`;
    ends[end] = (ends[end] ?? 0) + 1;
    for (const [stage, ms] of stageTimes(trace)) push(times, stage, ms);
    const stage = isLate ? blameStage(trace, usual) : undefined;
    if (stage) blamed.set(stage, (blamed.get(stage) ?? 0) + 1);
  }
  return {
    frames: traces.length,
    late: traces.filter(({ main }) => main.isLate).length,
    joined: traces.filter(({ client, server }) => client && server).length,
    sessions: new Set(traces.map(({ main }) => main.session)).size,
    ends,
    stages: stages.flatMap((stage): StageSummary[] => {
      const values = times.get(stage);
      if (!values) return [];
      const [p50, p95, p99, max] = quantiles(values, [0.5, 0.95, 0.99, 1]);
      return [
        {
          stage,
          frames: values.length,
          p50: p50!,
          p95: p95!,
          p99: p99!,
          max: max!,
          blamed: blamed.get(stage) ?? 0,
        },
      ];
    }),
  };
}

/** How long each stage takes of frames that are in time: the median, in milliseconds. */
export function usualTimes(traces: readonly JoinedTrace[]): ReadonlyMap<Stage, number> {
  const times = new Map<Stage, number[]>();
  for (const trace of traces) {
    if (trace.main.isLate) continue;
    for (const [stage, ms] of stageTimes(trace)) push(times, stage, ms);
  }
  return new Map([...times].map(([stage, values]) => [stage, quantiles(values, [0.5])[0]!]));
}

/** The stage that took longer than usual by the most; `undefined` where none did. */
export function blameStage(trace: JoinedTrace, usual: ReadonlyMap<Stage, number>): Stage | undefined {
  let worst: Stage | undefined;
  let worstMs = 0;
  for (const [stage, ms] of stageTimes(trace)) {
    const isBeside = besideOthers.has(stage) && trace.client !== undefined;
    const excessMs = ms - (usual.get(stage) ?? 0);
    if (isBeside || excessMs <= worstMs) continue;
    worst = stage;
    worstMs = excessMs;
  }
  return worst;
}

/** What a frame spent in each stage, in milliseconds. */
function stageTimes({ spans }: JoinedTrace): ReadonlyMap<Stage, number> {
  const times = new Map<Stage, number>();
  for (const { stage, durationMs } of spans) times.set(stage, (times.get(stage) ?? 0) + durationMs);
  return times;
}

function push(times: Map<Stage, number[]>, stage: Stage, ms: number): void {
  const values = times.get(stage);
  if (values) values.push(ms);
  else times.set(stage, [ms]);
}
