/**
 * The rate at which the path delivers, from the spacing of datagrams that kept the bottleneck busy: they leave it at its
 * rate, however little the application sends on average (packet-train dispersion, Dovrolis et al., "What do packet
 * dispersion techniques measure?").
 *
 * Bursts, which left together, are short: timers on the way move them by a tenth and more. Runs, which kept the
 * bottleneck busy for most of a frame, are exact, but where others share the path they show a share of it and not what it
 * carries. So runs count where they differ from bursts by no more than timers explain.
 *
 * Frames of one or two datagrams measure nothing, but show that a path has become a narrow one (`narrow-path.ts`). That is
 * a bound for who chooses what to send: it lowers no rate, or what is left of a stream on a narrow path would be held back.
 */
import { createNarrowPath } from "./narrow-path.js";
import { findChange, findChangeByShort, isFaster, type TrainRate } from "./path-change.js";
import type { Train } from "./train-finder.js";

export interface BandwidthEstimator {
  /** Datagrams that left together: two or more. */
  addBurst(train: Train, nowMs: number): void;
  /** Datagrams that kept the bottleneck busy, in whatever time they left. */
  addRun(train: Train, nowMs: number): void;
  /** Bits per second; `undefined` before the first burst of three. */
  readonly bitsPerSecond: number | undefined;
  /** What the path carries at most by what smaller bursts have shown since the last one that was faster; Infinity: no bound. */
  readonly boundBitsPerSecond: number;
  /** How often the path has become another one, of which trains of before say nothing (`path-change.ts`). */
  readonly changes: number;
  /** Whether the last burst was faster than the path is taken for: it may be another one. */
  readonly isDoubted: boolean;
  /** When the last burst of three came. */
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
/** Two are a pair. */
const minBurst = 3;
const minRun = 8;
/** Jitter spreads most bursts and squeezes few; traffic of others slows some down. */
const commonShare = 3 / 4;
const fewSamples = 8;
/** Less than bursts tells where none has come for so long. */
const narrowAfterMs = 500;
/** Bursts may seem to be so much faster than the path for timers' sake. */
const minRunShare = 0.9;

interface Sample extends TrainRate {
  readonly weight: number;
}

export function createBandwidthEstimator(): BandwidthEstimator {
  const full = createBursts();
  const short = createBursts();
  /** The latest short bursts, clumps too, where no full one came behind them. */
  let shortSinceFull: Sample[] = [];
  let runs: Sample[] = [];
  let estimate: number | undefined;
  const narrow = createNarrowPath();
  let bound = Number.POSITIVE_INFINITY;
  let changes = 0;
  let isDoubted = false;
  let measuredMs = Number.NEGATIVE_INFINITY;
  /** When samples came that the estimate does not know yet. */
  let staleSinceMs: number | undefined;

  /** A report brings several trains: the estimate is made of all of them together, where somebody asks for it. */
  function changed(nowMs: number): void {
    if (staleSinceMs !== nowMs) update();
    staleSinceMs = nowMs;
  }

  function update(): void {
    if (staleSinceMs === undefined) return;
    const nowMs = staleSinceMs;
    staleSinceMs = undefined;
    runs = latest(runs, maxRuns, nowMs);
    let bursts = full.samples(nowMs) ?? short.samples(nowMs);
    if (!bursts) return;
    if (estimate !== undefined) {
      const changedMs =
        findChange(bursts, estimate) ??
        findChange(runs, estimate) ??
        findChangeByShort(bursts, shortSinceFull, estimate);
      if (changedMs !== undefined) {
        changes++;
        forgetBefore(changedMs);
        bursts = full.samples(nowMs) ?? short.samples(nowMs) ?? bursts;
      }
      isDoubted = isFaster(bursts.at(-1)!, estimate);
    }
    const rising = inOrder(bursts);
    const ofRuns = quantile(inOrder(runs), commonShare);
    const isAlone = ofRuns !== undefined && ofRuns >= minRunShare * quantile(rising, 1 / 2)!;
    estimate = isAlone ? ofRuns : quantile(rising, commonShare);
  }

  function forgetBefore(changedMs: number): void {
    runs = since(runs, changedMs);
    full.forgetBefore(changedMs);
    short.forgetBefore(changedMs);
  }

  /** Something has come that shows a narrow path, or that it is none. */
  function tellNarrow(nowMs: number): void {
    const rate = narrow.bitsPerSecond(nowMs);
    if (rate !== undefined && nowMs - measuredMs >= narrowAfterMs) bound = rate;
  }

  return {
    addBurst(train, nowMs) {
      if (train.datagrams < minBurst) {
        narrow.addPair(train, nowMs);
        tellNarrow(nowMs);
        return;
      }
      changed(nowMs);
      measuredMs = nowMs;
      const isFull = train.datagrams >= fullBurst;
      const sample = (isFull ? full : short).add(train, nowMs);
      shortSinceFull = isFull ? [] : latest([...shortSinceFull, sample], maxBursts, nowMs);
      if (isFaster(sample, bound)) bound = Number.POSITIVE_INFINITY;
    },
    addRun(train, nowMs) {
      const { datagrams, bytes, spreadMs } = train;
      if (narrow.addRun(train, nowMs)) tellNarrow(nowMs);
      if (datagrams < minRun || spreadMs === 0) return;
      changed(nowMs);
      runs.push({ atMs: nowMs, spreadMs, weight: bytes, bitsPerSecond: (bytes * 8_000) / spreadMs });
    },
    get bitsPerSecond() {
      update();
      return estimate;
    },
    get boundBitsPerSecond() {
      return bound;
    },
    get changes() {
      update();
      return changes;
    },
    get isDoubted() {
      update();
      return isDoubted;
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
    add({ bytes, spreadMs, totalBytes }: Train, nowMs: number): Sample {
      const sample =
        spreadMs > 0
          ? { atMs: nowMs, spreadMs, weight: 1, bitsPerSecond: (bytes * 8_000) / spreadMs }
          : { atMs: nowMs, spreadMs, weight: 1, bitsPerSecond: (totalBytes * 8_000) / clumpSpreadMs };
      (spreadMs > 0 ? spread : clumped).push(sample);
      return sample;
    },
    forgetBefore(changedMs: number): void {
      spread = since(spread, changedMs);
      clumped = since(clumped, changedMs);
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

function since(samples: readonly Sample[], fromMs: number): Sample[] {
  return samples.filter(({ atMs }) => atMs >= fromMs);
}

function inOrder(samples: readonly Sample[]): Sample[] {
  return [...samples].sort((a, b) => a.bitsPerSecond - b.bitsPerSecond);
}

/** The rate that a share of the weight does not exceed; of a few samples at most half of it, or jitter would decide. */
function quantile(rising: readonly Sample[], share: number): number | undefined {
  let sum = 0;
  for (const { weight } of rising) sum += weight;
  let left = (rising.length < fewSamples ? Math.min(share, 1 / 2) : share) * sum;
  for (const { weight, bitsPerSecond } of rising) {
    left -= weight;
    if (left <= 0) return bitsPerSecond;
  }
  return undefined;
}
