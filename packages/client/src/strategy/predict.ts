/** What a candidate would do under given conditions: the total inference time, and how many results would be in time. */
import {
  type InferenceTerms,
  type PathEstimate,
  type SessionLimits,
  totalInferenceMs,
} from "@sluice/protocol";
import type { Prediction, StrategyCandidate } from "./strategy-api.js";

export interface PredictInput {
  readonly candidate: StrategyCandidate;
  /** With loads. */
  readonly terms: InferenceTerms;
  /** How many times what it usually takes all of the client's work together takes. */
  readonly clientExcess: number;
  readonly serverQueueMs: number;
  /** What of a work's time the server has for nothing else. */
  readonly serialShare: number;
  /** How much longer than is known of the path frames lately took on it. */
  readonly detourMs: number;
  /** Of frames that came through, for sessions whose path is not measured: streams instead of datagrams. */
  readonly deliveryBitsPerSecond: number | undefined;
  readonly framesPerSecond: number;
  /** `undefined`: nothing can be sent now. */
  readonly path: PathEstimate | undefined;
  readonly limits: SessionLimits | undefined;
  readonly deadlineMs: number;
  readonly clientConcurrency: number;
  readonly latencyWeight: number;
  /** What lately came true beside what was predicted; 1: all of it. */
  readonly trust: number;
  /** What is seen to come in time of it, where it is in use: it is no less than that. */
  readonly seenPerSecond: number;
}

/** While nothing was measured: what the first frames are spent on. */
const assumedBitsPerSecond = 20_000_000;
const assumedRttMs = 50;
/** Latencies spread so far around what is expected, as a share of the deadline: a result at the deadline is half in time. */
const spreadShare = 0.1;

export function predict(input: PredictInput): Prediction {
  const { candidate, terms, path, framesPerSecond } = input;
  const usesPath = terms.bytes > 0;
  if (usesPath && !path) return unusable(candidate.name, terms.clientMs);
  const rttMs = path?.minRttMs ?? path?.rttMs ?? assumedRttMs;
  const bitsPerSecond = path?.bandwidthBitsPerSecond ?? input.deliveryBitsPerSecond ?? assumedBitsPerSecond;
  const elsewhereMs = usesPath ? Math.max(path?.queueMs ?? 0, input.detourMs) + input.serverQueueMs : 0;
  const totalMs = totalInferenceMs(terms, { bitsPerSecond, rttMs }) + elsewhereMs;
  const carried = Math.min(
    framesPerSecond,
    clientRate(input, totalMs),
    usesPath ? sendRate(input) : Infinity,
  );
  const promisedPerSecond = carried * inTimeShare(totalMs, input.deadlineMs);
  const onTimePerSecond = Math.min(
    framesPerSecond,
    Math.max(promisedPerSecond * input.trust, input.seenPerSecond),
  );
  const lateness = Math.min(1, totalMs / input.deadlineMs);
  return {
    ...{ candidate: candidate.name, totalMs, clientMs: terms.clientMs },
    ...{ framesPerSecond: carried, promisedPerSecond, onTimePerSecond },
    score: onTimePerSecond * (candidate.worth ?? 1) * (1 - input.latencyWeight * lateness),
  };
}

/**
 * Frames per second that the client's part takes. Encoding and inference run on threads of their own. A frame may wait
 * for its turn as long as it is not late by that: where no frame has come since, the client waits for the next one.
 */
function clientRate(input: PredictInput, totalMs: number): number {
  const { terms, clientConcurrency, framesPerSecond, deadlineMs } = input;
  const apartMs = 1_000 / framesPerSecond;
  const eachMs = (terms.clientMs * input.clientExcess) / clientConcurrency;
  const slackMs = Math.min(apartMs, Math.max(0, deadlineMs - totalMs));
  const idleMs = eachMs > apartMs ? (apartMs - slackMs) ** 2 / (2 * apartMs) : 0;
  return Math.min(1_000 / (eachMs + idleMs), 1_000 / terms.encodeMs);
}

/** Frames per second that the path, what the server announces and what it was seen to carry let through. */
function sendRate({ terms, path, limits, deliveryBitsPerSecond, serialShare }: PredictInput): number {
  const { bytes } = terms;
  const measured = path?.rateBitsPerSecond ?? path?.bandwidthBitsPerSecond;
  const bitsPerSecond = measured ?? deliveryBitsPerSecond ?? assumedBitsPerSecond;
  const allowed = (limit: number | undefined, unit: number) => (limit ? limit / unit : Infinity);
  return Math.min(
    bitsPerSecond / (8 * bytes),
    1_000 / (terms.serverMs * serialShare),
    allowed(limits?.framesPerSecond, 1),
    allowed(limits?.maxBytesPerSecond, bytes),
  );
}

function inTimeShare(totalMs: number, deadlineMs: number): number {
  const spreadMs = 2 * spreadShare * deadlineMs;
  return Math.min(1, Math.max(0, 0.5 + (deadlineMs - totalMs) / spreadMs));
}

function unusable(candidate: string, clientMs: number): Prediction {
  return {
    ...{ candidate, totalMs: Number.POSITIVE_INFINITY, clientMs },
    ...{ framesPerSecond: 0, promisedPerSecond: 0, onTimePerSecond: 0, score: 0 },
  };
}
