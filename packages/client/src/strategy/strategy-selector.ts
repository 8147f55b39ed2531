/**
 * Chooses where a network runs, from what is known at the moment: the terms of the total inference time of each
 * candidate, the path, and the loads of both ends (Ulhaq & Bajić: "strategy selector"). Without I/O, on a clock that is
 * passed in.
 *
 * What is compared is results in time per second, by their worth, less a little for lateness; so that where all is in
 * time the shortest total inference time wins. A choice holds for a while and against small gains. What was predicted
 * of a candidate and did not come true lowers it; a path that the choice does not use is probed.
 */
import type { PathEstimate } from "@sluice/protocol";
import { checkSelectorOptions } from "./check-selector-options.js";
import { createHysteresis } from "./hysteresis.js";
import { createImprovement } from "./improvement.js";
import { createLoadEstimate } from "./load-estimate.js";
import { createLookout } from "./lookout.js";
import { predict } from "./predict.js";
import { createProber } from "./prober.js";
import { createRecentResults } from "./recent-results.js";
import type {
  Prediction,
  SelectorConditions,
  SelectorOptions,
  StrategyCandidate,
  StrategyDecision,
  StrategyEstimates,
  StrategySelector,
  StrategySwitch,
} from "./strategy-api.js";
import { findCause, formatReason, type SwitchBasis } from "./switch-reason.js";
import { createTrustBoard } from "./trust-board.js";

/** Pings are a quarter of a second apart; several of them lost in a row are more than loss. */
const silenceMs = 1_000;
/** While frames are sent, reports and results come with each of them. */
const busySilenceMs = 200;
const busySilenceFrames = 3;
/** So much time decides how much of what is predicted comes true, but at least so many frames. */
const trustWindowMs = 800;
const leastTrustWindow = 6;
/** What is seen to come of the choice may be a little less in a moment. */
const seenShare = 0.9;
/** What the last choice has left in queues is gone after so long, whatever is told of them. */
const maxSettleMs = 1_000;

/** @throws RangeError naming the field */
export function createStrategySelector(options: SelectorOptions): StrategySelector {
  checkSelectorOptions(options);
  const { candidates, deadlineMs, clientConcurrency = 1, latencyWeight = 0.1 } = options;
  const { minDwellMs = 1_000, minGain = 0.05, probeIntervalMs = 1_000 } = options;
  const byName = new Map(candidates.map((candidate) => [candidate.name, candidate]));
  const load = createLoadEstimate(candidates);
  const trusts = createTrustBoard(candidates);
  const prober = createProber(candidates, probeIntervalMs);
  const lookout = createLookout();
  const recent = createRecentResults();
  const hysteresis = createHysteresis(minDwellMs, minGain);
  const better = { path: createImprovement(), here: createImprovement(), there: createImprovement() };
  let current: StrategyCandidate | undefined;
  let basis: SwitchBasis | undefined;
  let predictions: readonly Prediction[] = [];
  /** Share of the frames that was to be in time, of the present choice. */
  let promisedShare = 1;
  let trustWindow = leastTrustWindow;
  /** As it was last told. */
  let path: PathEstimate | undefined;
  let wasPathUsable = true;
  let estimates: StrategyEstimates = {
    ...{ bandwidthBitsPerSecond: undefined, rttMs: undefined, lossShare: 0 },
    ...{ clientLoad: 1, serverLoad: 1, serverQueueMs: 0 },
  };

  function estimate({ path, nowMs }: SelectorConditions): StrategyEstimates {
    return {
      bandwidthBitsPerSecond: path?.bandwidthBitsPerSecond,
      rttMs: path?.rttMs,
      lossShare: path?.lossShare ?? 0,
      clientLoad: load.clientLoad(nowMs),
      serverLoad: load.serverLoad(nowMs),
      serverQueueMs: load.serverQueueMs(nowMs),
    };
  }

  function isAnswering(path: PathEstimate, framesPerSecond: number): boolean {
    const isBusy = current !== undefined && current.terms.bytes > 0;
    const patienceMs = isBusy
      ? Math.max(busySilenceMs, (busySilenceFrames * 1_000) / framesPerSecond)
      : silenceMs;
    return !path.isDark && path.silentMs < Math.min(silenceMs, patienceMs) + (path.rttMs ?? 0);
  }

  function predictAll(conditions: SelectorConditions, isPathUsable: boolean): Prediction[] {
    const { nowMs, framesPerSecond, limits, unavailable } = conditions;
    const rttMs = conditions.path?.minRttMs ?? 0;
    return candidates.map((candidate) =>
      predict({
        ...{ candidate, terms: load.terms(candidate, nowMs), serverQueueMs: estimates.serverQueueMs },
        clientExcess: load.clientExcess(nowMs),
        serialShare: load.serialShare(nowMs),
        detourMs: load.detourMs(nowMs),
        deliveryBitsPerSecond: load.deliveryBitsPerSecond(rttMs, nowMs),
        path: isPathUsable && !unavailable?.has(candidate.name) ? conditions.path : undefined,
        ...{ framesPerSecond, limits, deadlineMs, clientConcurrency, latencyWeight },
        trust: trusts.value(candidate.name, nowMs),
        seenPerSecond: candidate === current ? framesPerSecond * seenShare * recent.share(nowMs) : 0,
      }),
    );
  }

  /** Trust that was lost on a path or a machine that was worse was not lost on the better one. */
  function forgiveWorse(isPathUsable: boolean): void {
    const { bandwidthBitsPerSecond, clientLoad, serverLoad } = estimates;
    const isPathBetter = better.path.notice(isPathUsable ? bandwidthBitsPerSecond : undefined);
    const isServerBetter = better.there.notice(1 / serverLoad);
    if (isPathBetter || isServerBetter || (isPathUsable && !wasPathUsable))
      trusts.reset(({ terms }) => terms.bytes > 0);
    if (better.here.notice(1 / clientLoad)) trusts.reset(({ terms }) => terms.clientMs > 0);
    wasPathUsable = isPathUsable;
  }

  /** How long bytes take on the path and back by what is known of it; 0: nothing. */
  function pathMs(bytes: number): number {
    if (!path?.bandwidthBitsPerSecond) return 0;
    return (path.minRttMs ?? path.rttMs ?? 0) + (bytes * 8_000) / path.bandwidthBitsPerSecond;
  }

  /** How long what is under way may be in the way of another choice. */
  function settleMs({ path }: SelectorConditions): number {
    if (!path || !current || current.terms.bytes === 0) return 0;
    return Math.min(maxSettleMs, path.queueMs + (path.rttMs ?? 0));
  }

  /** Whether something comes of the present choice, and lately nothing has come of a path that is to be used. */
  function mustLook({ terms }: StrategyCandidate, now: Prediction, nowMs: number): boolean {
    return (
      current!.terms.bytes === 0 && terms.bytes > 0 && now.score > 0 && !lookout.isSeen(terms.bytes, nowMs)
    );
  }

  function lookAt({ name }: StrategyCandidate, nowMs: number): string | undefined {
    if (!lookout.mayLook(nowMs)) return undefined;
    lookout.looked();
    return name;
  }

  function switchTo(
    next: StrategyCandidate,
    now: SwitchBasis,
    conditions: SelectorConditions,
  ): StrategySwitch {
    const { nowMs } = conditions;
    const cause = findCause(basis, now);
    if (current && (cause === "late-results" || cause === "better" || now.trust < 1 / 2)) {
      trusts.of(current.name).leftInVain(nowMs);
    }
    const from = current?.name;
    const reason = formatReason(cause, basis, now);
    const isForced = cause === "start" || cause === "path-lost" || cause === "availability";
    hysteresis.switched(nowMs, settleMs(conditions), isForced);
    current = next;
    prober.switched(nowMs);
    recent.reset();
    return { ...{ atMs: nowMs, from, to: next.name, cause, reason }, estimates, predictions };
  }

  return {
    choose(conditions): StrategyDecision {
      const { nowMs, framesPerSecond, unavailable } = conditions;
      path = conditions.path;
      const isPathUsable = path !== undefined && isAnswering(path, framesPerSecond);
      estimates = estimate(conditions);
      forgiveWorse(isPathUsable);
      predictions = predictAll(conditions, isPathUsable);
      const best = predictions.reduce((most, each) => (isBetterThan(each, most) ? each : most));
      const now = current && predictions.find(({ candidate }) => candidate === current!.name);
      const isAvailable = !current || !unavailable?.has(current.name);
      const trust = current ? trusts.value(current.name, nowMs) : 1;
      const present: SwitchBasis = { estimates, isPathUsable, isAvailable, trust };
      const next = byName.get(best.candidate)!;
      let switched: StrategySwitch | undefined;
      let look: string | undefined;
      if (!now || hysteresis.mayLeave(now, best, nowMs)) {
        if (now && mustLook(next, now, nowMs)) look = lookAt(next, nowMs);
        else {
          switched = switchTo(next, present, conditions);
          basis = { ...present, isAvailable: true };
        }
      }
      const chosen = current!;
      const { promisedPerSecond } = predictions.find(({ candidate }) => candidate === chosen.name)!;
      promisedShare = framesPerSecond > 0 ? promisedPerSecond / framesPerSecond : 0;
      trustWindow = Math.max(leastTrustWindow, (framesPerSecond * trustWindowMs) / 1_000);
      const known = { ...conditions, isPathUsable, current: chosen, predictions, unavailable };
      const probe = lookout.isLooking ? look : prober.choose(known);
      return { candidate: chosen.name, probe, switched };
    },

    add(sample, nowMs) {
      const candidate = byName.get(sample.candidate);
      if (!candidate) return;
      const { onTime, isDropped, offeredMs } = sample;
      // Behind what the last choice has left in queues a frame takes longer on the path for that one's sake.
      const isSettled = offeredMs >= hysteresis.settledMs;
      load.add(candidate, sample, isSettled ? pathMs(sample.delivered?.bytes ?? 0) : 0, nowMs);
      if (sample.clientMs !== undefined) prober.clientRan(nowMs);
      if (sample.isProbe) {
        if (!isDropped) trusts.of(candidate.name).addProbe(onTime, nowMs);
        prober.ended(candidate, { onTime, isDropped }, nowMs);
        if (candidate.terms.bytes > 0) lookout.ended(candidate.terms.bytes, onTime, nowMs);
      } else if (candidate === current && offeredMs >= hysteresis.chosenMs) {
        // Behind what the last choice has left in queues a frame is late for that one's sake.
        if (onTime || offeredMs >= hysteresis.settledMs) {
          recent.add(onTime, nowMs);
          trusts.of(candidate.name).add(onTime, promisedShare, trustWindow, nowMs);
        }
      }
    },

    get predictions() {
      return predictions;
    },
    get estimates() {
      return estimates;
    },
  };
}

/** Where nothing would be in time the quickest is the best. */
function isBetterThan(a: Prediction, b: Prediction): boolean {
  return a.score > b.score || (a.score === b.score && a.totalMs < b.totalMs);
}
