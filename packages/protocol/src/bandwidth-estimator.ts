/**
 * The rate at which the path delivers, from the spacing of datagrams that kept the bottleneck busy: they leave it at its
 * rate, however little the application sends on average (packet-train dispersion, Dovrolis et al., "What do packet
 * dispersion techniques measure?").
 *
 * Bursts, which left together, are short: timers on the way move them by a tenth and more. Runs, which kept the
 * bottleneck busy for most of a frame, are exact, but where others share the path they show a share of it and not what it
 * carries. So runs count where they differ from bursts by no more than timers explain.
 */
import type { Train } from "./train-finder.js";

export interface BandwidthEstimator {
  /** Datagrams that left together. */
  addBurst(train: Train, nowMs: number): void;
  /** Datagrams that kept the bottleneck busy, in whatever time they left. */
  addRun(train: Train, nowMs: number): void;
  /** Bits per second; `undefined` before the first burst. */
  readonly bitsPerSecond: number | undefined;
  /** When the last burst came. */
  readonly measuredMs: number;
}

const windowMs = 4_000;
const maxBursts = 64;
const maxRuns = 128;
/** A burst that arrives in one clump is no longer than this: the bottleneck is at least so fast. */
const clumpSpreadMs = 0.5;
/** So many clumps for each other burst. */
const minClumpedRatio = 3;
/** A frame begins with a burst of eight; the pacer's timer makes of the rest bursts of two and three, which say little. */
const fullBurst = 6;
const minRun = 8;
/** Jitter spreads most bursts and squeezes few; traffic of others slows some down. */
const commonShare = 3 / 4;
const fewSamples = 8;
/** Bursts may seem to be so much faster than the path for timers' sake. */
const minRunShare = 0.9;

interface Sample {
  readonly atMs: number;
  readonly weight: number;
  readonly bitsPerSecond: number;
}

export function createBandwidthEstimator(): BandwidthEstimator {
  const full = createBursts();
  const short = createBursts();
  let runs: Sample[] = [];
  let estimate: number | undefined;
  let measuredMs = Number.NEGATIVE_INFINITY;

  function update(nowMs: number): void {
    runs = latest(runs, maxRuns, nowMs);
    const bursts = full.samples(nowMs) ?? short.samples(nowMs);
    if (!bursts) return;
    const ofRuns = quantile(runs, commonShare);
    const isAlone = ofRuns !== undefined && ofRuns >= minRunShare * quantile(bursts, 1 / 2)!;
    estimate = isAlone ? ofRuns : quantile(bursts, commonShare);
  }

  return {
    addBurst(train, nowMs) {
      measuredMs = nowMs;
      (train.datagrams >= fullBurst ? full : short).add(train, nowMs);
      update(nowMs);
    },
    addRun({ datagrams, bytes, spreadMs }, nowMs) {
      if (datagrams < minRun || spreadMs === 0) return;
      runs.push({ atMs: nowMs, weight: bytes, bitsPerSecond: (bytes * 8_000) / spreadMs });
      update(nowMs);
    },
    get bitsPerSecond() {
      return estimate;
    },
    get measuredMs() {
      return measuredMs;
    },
  };
}

function createBursts() {
  let spread: Sample[] = [];
  let clumped: Sample[] = [];
  return {
    add({ bytes, spreadMs, totalBytes }: Train, nowMs: number): void {
      const common = { atMs: nowMs, weight: 1 };
      if (spreadMs > 0) spread.push({ ...common, bitsPerSecond: (bytes * 8_000) / spreadMs });
      else clumped.push({ ...common, bitsPerSecond: (totalBytes * 8_000) / clumpSpreadMs });
    },
    /** The ones that count; `undefined` where there are none. */
    samples(nowMs: number): readonly Sample[] | undefined {
      spread = latest(spread, maxBursts, nowMs);
      clumped = latest(clumped, maxBursts, nowMs);
      // Clumps tell of a fast path only where there is hardly anything else: they may be of a timer's making.
      const samples = clumped.length > minClumpedRatio * spread.length ? clumped : spread;
      return samples.length > 0 ? samples : undefined;
    },
  };
}

function latest(samples: Sample[], count: number, nowMs: number): Sample[] {
  return samples.filter(({ atMs }) => nowMs - atMs < windowMs).slice(-count);
}

/** The rate that a share of the weight does not exceed; of a few samples at most half of it, or jitter would decide. */
function quantile(samples: readonly Sample[], share: number): number | undefined {
  const rising = [...samples].sort((a, b) => a.bitsPerSecond - b.bitsPerSecond);
  const sum = rising.reduce((total, { weight }) => total + weight, 0);
  let left = (samples.length < fewSamples ? Math.min(share, 1 / 2) : share) * sum;
  for (const { weight, bitsPerSecond } of rising) {
    left -= weight;
    if (left <= 0) return bitsPerSecond;
  }
  return undefined;
}
