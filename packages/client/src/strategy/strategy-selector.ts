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
import { createLoadEstimate } from "./load-estimate.js";
import { predict } from "./predict.js";
import { createProbeTimer } from "./probe-timer.js";
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
import { createTrust } from "./trust.js";

/** Pings are a quarter of a second apart; several of them lost in a row are more than loss. */
const silenceMs = 1_000;
/** While frames are sent, reports and results come with each of them. */
const busySilenceMs = 200;
const busySilenceFrames = 3;
/** A choice that brings less than this share of the best one is left at once. */
const collapseShare = 0.5;
/** ... but for so long after it was taken: estimates need a few results. */
const leastDwellMs = 300;
/** ... twice as long after each choice that lasted no longer than this: where all fail, changing costs most. */
const hastyMs = 2_000;
const maxHasty = 3;
/** A path that carries so many times more than before is another path. */
const betterPath = 2;
/** How long nothing may run here before a frame is run here as well, to know what that takes now. */
const clientProbeMs = 5_000;
/** What a single estimate says of it: they waver, and one of them is no better path. */
const bandwidthGain = 1 / 8;

/** @throws RangeError naming the field */
export function createStrategySelector(options: SelectorOptions): StrategySelector {
  checkOptions(options);
  const { candidates, deadlineMs, clientConcurrency = 1, latencyWeight = 0.1 } = options;
  const { minDwellMs = 1_000, minGain = 0.05, probeIntervalMs = 1_000 } = options;
  const byName = new Map(candidates.map((candidate) => [candidate.name, candidate]));
  const load = createLoadEstimate(candidates);
  const trusts = new Map(candidates.map(({ name }) => [name, createTrust()]));
  const probes = createProbeTimer(probeIntervalMs);
  const overPath = candidates.filter(({ terms }) => terms.bytes > 0);
  let current: StrategyCandidate | undefined;
  let chosenMs = Number.NEGATIVE_INFINITY;
  /** Choices in a row that did not last. */
  let hastyChoices = 0;
  let basis: SwitchBasis | undefined;
  let predictions: readonly Prediction[] = [];
  /** Share of the frames that was to be in time, of the present choice. */
  let expectedShare = 1;
  /** When the client's part last ran. */
  let clientSampledMs: number | undefined;
  let smoothBitsPerSecond: number | undefined;
  /** The lowest bandwidth since trust was last set back. */
  let lowestBitsPerSecond = Number.POSITIVE_INFINITY;
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
        deliveryBitsPerSecond: load.deliveryBitsPerSecond(rttMs, nowMs),
        path: isPathUsable && !unavailable?.has(candidate.name) ? conditions.path : undefined,
        ...{ framesPerSecond, limits, deadlineMs, clientConcurrency, latencyWeight },
        trust: trusts.get(candidate.name)!.value(nowMs),
      }),
    );
  }

  /** Trust was lost on a path that was worse: what was learnt there does not hold on a better one. */
  function noticeBetterPath(bitsPerSecond: number | undefined): void {
    if (bitsPerSecond === undefined) return;
    smoothBitsPerSecond ??= bitsPerSecond;
    smoothBitsPerSecond += (bitsPerSecond - smoothBitsPerSecond) * bandwidthGain;
    if (smoothBitsPerSecond > betterPath * lowestBitsPerSecond) {
      for (const { name } of overPath) trusts.get(name)!.reset();
      lowestBitsPerSecond = smoothBitsPerSecond;
    }
    lowestBitsPerSecond = Math.min(lowestBitsPerSecond, smoothBitsPerSecond);
  }

  function mayLeave(now: Prediction, best: Prediction, nowMs: number): boolean {
    // A late result is more than none, and shows what this side can do now.
    if (now.score <= 0) return best.score > 0 || best.totalMs < now.totalMs / 2;
    if (best.score <= now.score * (1 + minGain)) return false;
    const hasCollapsed = now.score < collapseShare * best.score;
    return nowMs - chosenMs >= (hasCollapsed ? leastDwellMs * 2 ** hastyChoices : minDwellMs);
  }

  function switchTo(next: StrategyCandidate, now: SwitchBasis, nowMs: number): StrategySwitch {
    const cause = findCause(basis, now);
    if (current && (cause === "late-results" || cause === "better" || now.trust < 1 / 2)) {
      trusts.get(current.name)!.leftInVain(nowMs);
    }
    const from = current?.name;
    const reason = formatReason(cause, basis, now);
    hastyChoices = nowMs - chosenMs < hastyMs ? Math.min(maxHasty, hastyChoices + 1) : 0;
    current = next;
    chosenMs = nowMs;
    probes.switched(nowMs);
    return { ...{ atMs: nowMs, from, to: next.name, cause, reason }, estimates, predictions };
  }

  /** What to send as well, where the choice tells nothing about the path. */
  function chooseProbe(conditions: SelectorConditions, isPathUsable: boolean): string | undefined {
    const { nowMs, unavailable, path } = conditions;
    clientSampledMs ??= nowMs;
    const isHere = ({ terms }: StrategyCandidate) => terms.bytes === 0;
    const here = candidates.find(isHere);
    if (here && current && !isHere(current) && nowMs - clientSampledMs > clientProbeMs) {
      clientSampledMs = nowMs;
      return here.name;
    }
    const isIdle =
      current?.terms.bytes === 0 || (path !== undefined && path.bandwidthAgeMs > probeIntervalMs);
    if (!isPathUsable || !isIdle || !probes.isDue(nowMs)) return undefined;
    const usable = overPath.filter(({ name }) => name !== current?.name && !unavailable?.has(name));
    const best = pickProbe(usable);
    if (best) probes.started(nowMs);
    return best?.name;
  }

  return {
    choose(conditions): StrategyDecision {
      const { nowMs, path, framesPerSecond } = conditions;
      const isPathUsable = path !== undefined && isAnswering(path, framesPerSecond);
      if (isPathUsable && !wasPathUsable) for (const { name } of overPath) trusts.get(name)!.reset();
      wasPathUsable = isPathUsable;
      estimates = estimate(conditions);
      noticeBetterPath(isPathUsable ? path.bandwidthBitsPerSecond : undefined);
      predictions = predictAll(conditions, isPathUsable);
      const best = predictions.reduce((most, each) => (isBetter(each, most) ? each : most));
      const now = current && predictions.find(({ candidate }) => candidate === current!.name);
      const isAvailable = !current || !conditions.unavailable?.has(current.name);
      const trust = current ? trusts.get(current.name)!.value(nowMs) : 1;
      const present: SwitchBasis = { estimates, isPathUsable, isAvailable, trust };
      let switched: StrategySwitch | undefined;
      if (!now || mayLeave(now, best, nowMs)) {
        switched = switchTo(byName.get(best.candidate)!, present, nowMs);
        basis = { ...present, isAvailable: true };
      }
      const chosen = predictions.find(({ candidate }) => candidate === current!.name)!;
      const ownTrust = trusts.get(chosen.candidate)!.value(nowMs);
      expectedShare = framesPerSecond > 0 ? chosen.onTimePerSecond / ownTrust / framesPerSecond : 0;
      return { candidate: current!.name, probe: chooseProbe(conditions, isPathUsable), switched };
    },

    add(sample, nowMs) {
      const candidate = byName.get(sample.candidate);
      if (!candidate) return;
      load.add(candidate, sample, nowMs);
      if (sample.clientMs !== undefined) clientSampledMs = nowMs;
      if (sample.isProbe) {
        if (!sample.isDropped) trusts.get(candidate.name)!.addProbe(sample.onTime, nowMs);
        if (candidate.terms.bytes > 0) probes.ended(sample.onTime, nowMs);
      } else if (candidate === current && sample.offeredMs >= chosenMs) {
        trusts.get(candidate.name)!.add(sample.onTime, expectedShare, nowMs);
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
function isBetter(a: Prediction, b: Prediction): boolean {
  return a.score > b.score || (a.score === b.score && a.totalMs < b.totalMs);
}

/** Its datagrams must be enough to measure a bandwidth by, and no more. */
const probeBytes = 8_000;

function pickProbe(candidates: readonly StrategyCandidate[]): StrategyCandidate | undefined {
  const rising = candidates.toSorted((a, b) => a.terms.bytes - b.terms.bytes);
  return rising.find(({ terms }) => terms.bytes >= probeBytes) ?? rising.at(-1);
}

function checkOptions({ candidates, deadlineMs }: SelectorOptions): void {
  if (candidates.length === 0) throw new RangeError("candidates: at least one is needed");
  if (!(deadlineMs > 0)) throw new RangeError(`deadlineMs must be above 0, got ${deadlineMs}`);
  const names = new Set<string>();
  for (const { name, terms, worth = 1 } of candidates) {
    if (names.has(name)) throw new RangeError(`candidates: "${name}" is there twice`);
    names.add(name);
    for (const [term, value] of Object.entries(terms)) {
      if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) {
        throw new RangeError(`candidates: ${term} of "${name}" must be at least 0, got ${value}`);
      }
    }
    if (!(worth >= 0 && worth <= 1))
      throw new RangeError(`candidates: worth of "${name}" must be 0 to 1, got ${worth}`);
  }
}
