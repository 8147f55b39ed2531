/**
 * What to send as well, where the choice tells nothing about the others: over a path that is not used, and here where
 * nothing runs here. The less comes in time by the choice, the sooner: a probe takes little from it then.
 */
import type { PathEstimate } from "@sluice/protocol";
import { createProbeTimer } from "./probe-timer.js";
import type { Prediction, StrategyCandidate } from "./strategy-api.js";

export interface ProbeConditions {
  readonly nowMs: number;
  readonly framesPerSecond: number;
  readonly path: PathEstimate | undefined;
  readonly isPathUsable: boolean;
  readonly current: StrategyCandidate;
  readonly predictions: readonly Prediction[];
  readonly unavailable: ReadonlySet<string> | undefined;
}

export interface ProbeOutcome {
  readonly onTime: boolean;
  /** It was turned away: it tells nothing. */
  readonly isDropped: boolean;
}

export interface Prober {
  /** The name of a candidate to send this frame by as well. */
  choose(conditions: ProbeConditions): string | undefined;
  ended(candidate: StrategyCandidate, outcome: ProbeOutcome, nowMs: number): void;
  /** The client's part of some candidate has run. */
  clientRan(nowMs: number): void;
  /** Another choice was made. */
  switched(nowMs: number): void;
}

/** How long nothing may run here before a frame is run here as well, to know what that takes now. */
const clientProbeMs = 4_000;
/** By a choice that brings nothing, probes are so many times closer. */
const closest = 4;
/** More than this share of the frames in time is nearly all of them. */
const wellShare = 0.9;
/** Its datagrams must be enough to measure a bandwidth by, and no more. */
const probeBytes = 8_000;
/** Less than this share of the frames was promised of a probe that came in time nevertheless: things have changed. */
const surpriseShare = 0.5;

export function createProber(candidates: readonly StrategyCandidate[], intervalMs: number): Prober {
  const timer = createProbeTimer(intervalMs);
  const overPath = candidates.filter(({ terms }) => terms.bytes > 0);
  const here = candidates.find(({ terms }) => terms.bytes === 0);
  let clientRanMs: number | undefined;
  let wasMeasuring = false;
  /** Share of the frames that was promised of the last probe. */
  let promised = 1;

  /** In turn one that measures the path, and the one that would be taken. */
  function pick({ current, predictions, unavailable }: ProbeConditions): StrategyCandidate | undefined {
    const others = overPath.filter(({ name }) => name !== current.name && !unavailable?.has(name));
    // Behind what runs here a client's part would have to wait, or be in its way.
    const idle = others.filter(({ strategy }) => strategy === "server");
    const usable = current === here && idle.length > 0 ? idle : others;
    wasMeasuring = !wasMeasuring;
    if (wasMeasuring) {
      const rising = usable.toSorted((a, b) => a.terms.bytes - b.terms.bytes);
      return rising.find(({ terms }) => terms.bytes >= probeBytes) ?? rising.at(-1);
    }
    const totalMs = ({ name }: StrategyCandidate) =>
      predictions.find(({ candidate }) => candidate === name)!.totalMs;
    return usable.toSorted((a, b) => totalMs(a) - totalMs(b))[0];
  }

  return {
    choose(conditions) {
      const { nowMs, framesPerSecond, path, current, predictions } = conditions;
      clientRanMs ??= nowMs;
      const own = predictions.find(({ candidate }) => candidate === current.name)!;
      const patience = Math.max(1 / closest, Math.min(1, own.score / framesPerSecond));
      if (here && current !== here && nowMs - clientRanMs > patience * clientProbeMs) {
        clientRanMs = nowMs;
        return here.name;
      }
      // What measures no bandwidth and brings nearly everything needs no better one.
      const isWell = own.onTimePerSecond > wellShare * framesPerSecond;
      const restMs = isWell ? clientProbeMs : intervalMs;
      const isIdle = current === here || (path !== undefined && path.bandwidthAgeMs > restMs);
      if (!conditions.isPathUsable || !isIdle || !timer.isDue(nowMs, patience)) return undefined;
      const picked = pick(conditions);
      if (!picked) return undefined;
      timer.started(nowMs);
      const { promisedPerSecond } = predictions.find(({ candidate }) => candidate === picked.name)!;
      promised = promisedPerSecond / framesPerSecond;
      return picked.name;
    },
    ended({ terms }, { onTime, isDropped }, nowMs) {
      if (terms.bytes === 0) return;
      if (isDropped) timer.turnedAway(nowMs);
      else timer.ended(onTime, onTime && promised < surpriseShare, nowMs);
    },
    clientRan(nowMs) {
      clientRanMs = nowMs;
    },
    switched: timer.switched,
  };
}
