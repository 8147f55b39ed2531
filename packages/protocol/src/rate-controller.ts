/**
 * The rate that this session may take of the path, over frames and not within one (spec 3.4).
 *
 * Delay decides, as in GCC (draft-ietf-rmcat-gcc) and SCReAM (RFC 8298): while datagrams meet a queue that never
 * drains, the rate is more than its share and falls by a factor; else it rises by a constant step. Additive increase
 * and multiplicative decrease bring sessions on one path to equal shares (Chiu and Jain 1989). Random loss says
 * nothing about load and changes nothing, unless it is so heavy that something must be policing the path.
 * The ceiling is what the bottleneck was measured to carry (`bandwidth-estimator.ts`): alone on a path, a session needs
 * no queue to find its rate.
 *
 * The congestion controller of QUIC below sees datagrams that are rarely more than its window lets through, and stays
 * out of the way; where it holds datagrams back, they arrive later, which counts as queue here.
 */
export interface RateController {
  update(sample: RateSample): void;
  /** Nothing was heard of what was sent: starts again with half of what there was. */
  handleSilence(): void;
  /** Milliseconds of the rate that are to be left unused, so that a queue drains; each is given out once. */
  takePauseMs(): number;
  /** Bits per second of datagrams; `undefined` before the path is known. */
  readonly bitsPerSecond: number | undefined;
}

export interface RateSample {
  readonly nowMs: number;
  readonly rttMs: number;
  /** The queue that never drains, in milliseconds. */
  readonly standingQueueMs: number;
  /** Over how many milliseconds it never has. */
  readonly standingWindowMs: number;
  /** What the bottleneck carries, in bits per second; `undefined` before it is known. */
  readonly capacityBitsPerSecond: number | undefined;
  /** How often the path has become another one (`bandwidth-estimator.ts`). */
  readonly changes: number;
  /** Share of the datagrams of the last moments that were lost, 0 to 1. */
  readonly lossShare: number;
  /** Counted since the session began. */
  readonly datagramsReported: number;
  readonly datagramsLost: number;
}

/** The queue that is left to jitter and to clocks of a tenth of a millisecond. */
const minThresholdMs = 10;
/** A queue beyond this is never taken for somebody else's. */
const maxThresholdMs = 25;
/** How fast the threshold follows a queue that does not give way (GCC 5.4: whoever fills it wants it so), each second. */
const thresholdGain = 0.1;
/** What is not taken drains a queue that this session has built up itself. */
const ceilingShare = 0.98;
const decrease = 0.75;
/**
 * A session that takes nearly all of a path has built up a queue itself: by the frames that the gate let wait at its
 * beginning, or as a thread stood still and then made up for it. A pause of so many times the queue drains it, and the
 * rate stays. If it comes back within `ownQueueMs`, a small step may do; whoever is not alone there meets the next
 * decrease, which is a full one.
 */
const queuesPaused = 2;
const ownQueueMs = 1_000;
const ownDecrease = 0.85;
/** A session with a rate above this share of the ceiling shares the path with no large one. */
const ownShare = 0.95;
/**
 * Gain of the increase, each second. The step is gain (ceiling - rate) sqrt(rate / ceiling): the less a session has,
 * the faster it grows in proportion, which brings shares together; and many sessions on a path do not grow too fast
 * together.
 */
const increaseGain = 0.2;
/** Without a queue for so long, the path has room: the gain grows with each second, up to a factor. */
const calmMs = 1500;
const maxCalmFactor = 8;
/**
 * QUIC's window opens slowly at first, which looks like a queue and like a narrow path: what that took away comes back as
 * fast, and the rate follows a bottleneck that turns out to carry more.
 */
const startupMs = 5_000;
const startupFactor = 4;
/** More than this share of the bottleneck is not taken fast: beside another session, whoever comes later would get more. */
const startupShare = 0.5;
/** A decrease shows after a round trip, the window over which the standing queue is measured, and so much more. */
const settleMs = 50;
const heavyLoss = 0.25;
/** After so many datagrams the smoothed losses, over half as many, are not of before the last reaction. */
const lossWindow = 256;
/** Fewer say nothing of losses. */
const fewDatagrams = 16;
/** A rate below this share of the bottleneck is not reached by decreases. */
const minShare = 0.05;

export function createRateController(): RateController {
  let rate: number | undefined;
  let thresholdMs = minThresholdMs;
  let updatedMs = 0;
  /** When the rate last decreased or paused. */
  let reactedMs = Number.NEGATIVE_INFINITY;
  let queuedMs = Number.NEGATIVE_INFINITY;
  let startedMs: number | undefined;
  let pauseMs = 0;
  /** Changes of the path that were answered. */
  let changes = 0;
  /** What was reported up to the last reaction: its losses have been answered. */
  let before: LossCounts = { datagramsReported: Number.NEGATIVE_INFINITY, datagramsLost: 0 };
  let wasSilent = false;
  let reported = 0;
  let lastCeiling = Number.POSITIVE_INFINITY;

  return {
    update(sample) {
      const { nowMs, rttMs, standingQueueMs, standingWindowMs, capacityBitsPerSecond, lossShare } = sample;
      if (capacityBitsPerSecond === undefined) return;
      const ceiling = ceilingShare * capacityBitsPerSecond;
      const elapsedMs = Math.min(1_000, Math.max(0, nowMs - updatedMs));
      updatedMs = nowMs;
      rate ??= ceiling;
      startedMs ??= nowMs;
      if (sample.changes > changes) {
        // What waits was sent for the path that there was: its queue and its losses are answered with the new ceiling.
        changes = sample.changes;
        startedMs = nowMs;
        reactedMs = nowMs;
        if (ceiling < lastCeiling) pauseMs += standingQueueMs;
      }
      const isStarting = nowMs - startedMs < startupMs;
      // Frames may begin to show what the path carries after minutes of small ones.
      const follows = isStarting || rate > ownShare * lastCeiling;
      if (follows && ceiling > lastCeiling) rate *= ceiling / lastCeiling;
      lastCeiling = ceiling;
      if (standingQueueMs > minThresholdMs / 2) queuedMs = nowMs;
      if (wasSilent || nowMs - reactedMs <= rttMs) before = sample;
      // A pong ends a silence, too: what the path has lost in it is told by the first report.
      if (sample.datagramsReported > reported) wasSilent = false;
      reported = sample.datagramsReported;
      // Of a few frames a second these are many seconds: what a blackout has taken must not lower the rate all that time.
      const isLossy =
        lossShare > heavyLoss &&
        (sample.datagramsReported - before.datagramsReported > lossWindow ||
          lossSince(before, sample) > heavyLoss);
      const isCongested = standingQueueMs > thresholdMs || isLossy;
      const approach = Math.min(1, (thresholdGain * elapsedMs) / 1_000);
      thresholdMs += (standingQueueMs - thresholdMs) * approach;
      thresholdMs = Math.min(maxThresholdMs, Math.max(minThresholdMs, thresholdMs));
      if (!isCongested) {
        const calmS = Math.max(0, nowMs - Math.max(reactedMs, queuedMs) - calmMs) / 1_000;
        const factor = isStarting && rate < startupShare * ceiling ? startupFactor : 1;
        const gain = increaseGain * Math.min(maxCalmFactor, factor + 4 * calmS);
        rate += (gain * (ceiling - rate) * Math.sqrt(rate / ceiling) * elapsedMs) / 1_000;
      }
      if (isCongested && nowMs - reactedMs > rttMs + standingWindowMs + settleMs) {
        const isOwn = !isLossy && rate > ownShare * ceiling;
        if (isOwn && nowMs - reactedMs > ownQueueMs) pauseMs += queuesPaused * standingQueueMs;
        else rate = (isOwn ? ownDecrease : decrease) * Math.min(rate, ceiling);
        reactedMs = nowMs;
        before = sample;
      }
      rate = Math.min(ceiling, Math.max(minShare * ceiling, rate));
    },
    handleSilence() {
      if (rate === undefined) return;
      rate /= 2;
      wasSilent = true;
    },
    takePauseMs() {
      const taken = pauseMs;
      pauseMs = 0;
      return taken;
    },
    get bitsPerSecond() {
      return rate;
    },
  };
}

type LossCounts = Pick<RateSample, "datagramsReported" | "datagramsLost">;

function lossSince(before: LossCounts, now: LossCounts): number {
  const told = now.datagramsReported - before.datagramsReported;
  return told < fewDatagrams ? 0 : (now.datagramsLost - before.datagramsLost) / told;
}
