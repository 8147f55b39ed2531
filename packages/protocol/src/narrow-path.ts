/**
 * What shows a narrow path where frames are too small for trains: pairs, two datagrams that left together, and runs through
 * which the queue grew, of single datagrams sent faster than the path carries them. Timers and stalls keep some pairs apart
 * by milliseconds; where most of them are, the path is one on which a datagram takes that long.
 */
import type { Train } from "./train-finder.js";

export interface NarrowPath {
  addPair(pair: Train, nowMs: number): void;
  /** @returns whether it shows anything */
  addRun(run: Train, nowMs: number): boolean;
  /** Bits per second of a narrow path; Infinity where most pairs came sooner than one lets them; `undefined`: too few. */
  bitsPerSecond(nowMs: number): number | undefined;
}

/** Datagrams that are so far apart were not kept apart by timers. */
const apartMs = 5;
/** Of a shorter one what is added on its way is too large a part. */
const minBytes = 250;
/** Of so many the median, of so long. */
const samples = 5;
const windowMs = 2_000;
const fewest = 2;
/** Delays that wander, and a way that has become a longer one, look like a queue, but not like one that grows by so much. */
const minGrowthMs = 30;
const minGrowthShare = 0.3;

export function createNarrowPath(): NarrowPath {
  let seen: { readonly bitsPerSecond: number; readonly atMs: number }[] = [];
  function add(bitsPerSecond: number, atMs: number): void {
    seen = [...seen, { bitsPerSecond, atMs }].slice(-samples);
  }
  return {
    addPair({ totalBytes, spreadMs }, nowMs) {
      if (totalBytes >= minBytes)
        add(spreadMs < apartMs ? Number.POSITIVE_INFINITY : (totalBytes * 8_000) / spreadMs, nowMs);
    },
    addRun({ datagrams, bytes, spreadMs, sentSpreadMs }, nowMs) {
      const grownMs = spreadMs - sentSpreadMs;
      if (grownMs < minGrowthMs || grownMs < minGrowthShare * spreadMs) return false;
      if (bytes < minBytes * (datagrams - 1)) return false;
      add((bytes * 8_000) / spreadMs, nowMs);
      return true;
    },
    bitsPerSecond(nowMs) {
      const rates = seen.filter(({ atMs }) => nowMs - atMs < windowMs).map((each) => each.bitsPerSecond);
      return rates.length < fewest ? undefined : rates.sort((a, b) => a - b)[rates.length >> 1];
    },
  };
}
