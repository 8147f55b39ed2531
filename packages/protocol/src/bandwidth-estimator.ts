/**
 * The rate at which the path delivers, from the spacing of datagrams that were sent close together: a train of
 * datagrams leaves the bottleneck at the bottleneck's rate, however little the application sends on average
 * (packet-train dispersion, Dovrolis et al., "What do packet dispersion techniques measure?").
 * The estimate is the upper quartile of the trains of the last seconds: jitter spreads most short trains and
 * squeezes few.
 */
import type { Train } from "./train-finder.js";

export interface BandwidthEstimator {
  addTrain(train: Train, nowMs: number): void;
  /** Bits per second; `undefined` before the first train. */
  readonly bitsPerSecond: number | undefined;
  /** When the last train came. */
  readonly measuredMs: number;
}

const windowMs = 4_000;
const maxTrains = 64;
/** A train that arrives in one clump is no longer than this: the bottleneck is at least so fast. */
const clumpSpreadMs = 0.5;

/** So many clumps for each other train. */
const minClumpedRatio = 3;

interface Sample {
  readonly atMs: number;
  readonly bitsPerSecond: number;
}

export function createBandwidthEstimator(): BandwidthEstimator {
  let spread: Sample[] = [];
  let clumped: Sample[] = [];
  let estimate: number | undefined;
  let measuredMs = Number.NEGATIVE_INFINITY;

  const isRecent = (nowMs: number) => (sample: Sample) => nowMs - sample.atMs < windowMs;

  return {
    addTrain({ bytes, spreadMs, totalBytes }, nowMs) {
      measuredMs = nowMs;
      spread = spread.filter(isRecent(nowMs));
      clumped = clumped.filter(isRecent(nowMs));
      if (spreadMs > 0) spread.push({ atMs: nowMs, bitsPerSecond: (bytes * 8_000) / spreadMs });
      else clumped.push({ atMs: nowMs, bitsPerSecond: (totalBytes * 8_000) / clumpSpreadMs });
      spread = spread.slice(-maxTrains);
      clumped = clumped.slice(-maxTrains);
      // Clumps tell of a fast path only where there is hardly anything else: they may be of a timer's making.
      const samples = clumped.length > minClumpedRatio * spread.length ? clumped : spread;
      const rates = samples.map((sample) => sample.bitsPerSecond).sort((a, b) => a - b);
      estimate = rates[(rates.length * 3) >> 2];
    },
    get bitsPerSecond() {
      return estimate;
    },
    get measuredMs() {
      return measuredMs;
    },
  };
}
