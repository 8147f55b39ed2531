/**
 * How many times longer than its profile says work takes on a machine. A machine that stands nearly still for a moment, now
 * and then, is as quick as before in between: what a work usually takes is a median, and what all of them take stands beside.
 */
import { createAgingAverage } from "./aging-average.js";

export interface WorkLoad {
  add(load: number, nowMs: number): void;
  /** A work came to nothing: it is taken to have gone like the last one, so that a load of which no work comes through shows. */
  failed(nowMs: number): void;
  /** What it mostly is. */
  usual(nowMs: number): number;
  /** How many times the usual all works together take, moments included. */
  excess(nowMs: number): number;
}

/** Works that tell what is usual, and for how long: more of them tell it better, and later. */
const maxSamples = 7;
const windowMs = 2_000;
/** Of two the lower counts: one that met a moment is no load, and one that did not shows that a load has gone. */
const fewest = 2;
/** One that met a pause of the machine is no load beyond this, and no machine is so many times quicker than its profile. */
const most = 20;
/** Moments are rare. */
const excessGain = 1 / 32;

/** @param halfLifeMs in which a load is half forgotten while nothing is worked on */
export function createWorkLoad(halfLifeMs: number): WorkLoad {
  // Before the first ones the profile stands for one of them.
  let samples: { readonly load: number; readonly atMs: number }[] = [
    { load: 1, atMs: Number.NEGATIVE_INFINITY },
  ];
  const usual = createAgingAverage(1, halfLifeMs, { gain: 1 });
  const excess = createAgingAverage(1, halfLifeMs, { gain: excessGain });
  function add(measured: number, nowMs: number): void {
    const load = Math.min(most, Math.max(1 / most, measured));
    samples.push({ load, atMs: nowMs });
    const isKept = (atMs: number, i: number) => atMs >= nowMs - windowMs || i >= samples.length - fewest;
    samples = samples.filter(({ atMs }, i) => isKept(atMs, i)).slice(-maxSamples);
    const sorted = samples.map((sample) => sample.load).sort((a, b) => a - b);
    const middle = (sorted.length - 1) >> 1;
    usual.add(sorted[middle]!, nowMs);
    // Judged when as many have come behind it as in front of it: the first works under a load are no moments.
    if (samples.length > fewest) excess.add(samples[middle]!.load / sorted[middle]!, nowMs);
  }
  return {
    add,
    failed: (nowMs) => add(samples.at(-1)!.load, nowMs),
    usual: usual.value,
    excess: (nowMs) => Math.max(1, excess.value(nowMs)),
  };
}
