// Moments in which the machine itself was slow, and the frames that had to do with them.
import { median } from "../accuracy/quantile.mjs";

/** So much longer than as a rule a piece of work takes in a slow moment. */
const slowFactor = 2;
/** Slow samples closer than this are one moment. */
const joinMs = 40;
/** How long after a slow moment the frames that had queued up in it are in the way of others. */
export const backlogMs = 100;

/**
 * @param samples in the order of time: when a piece of work began, and how long it took, in milliseconds
 * @returns the stretches `{ fromMs, toMs }` in which it took more than twice as long as the median
 */
export function findSlowMoments(samples) {
  if (samples.length === 0) return [];
  const usualMs = median(samples.map(({ tookMs }) => tookMs));
  const moments = [];
  for (const { atMs, tookMs } of samples) {
    if (tookMs <= slowFactor * usualMs) continue;
    const last = moments.at(-1);
    if (last && atMs - last.toMs <= joinMs) last.toMs = atMs + tookMs;
    else moments.push({ fromMs: atMs, toMs: atMs + tookMs });
  }
  return moments;
}

export const slowMomentsText = `In slow moments of the machine
the same work takes more than twice as long as the median, which a probe sees that runs before everything else; the frames that are
clear of them are those under way neither in one nor in the ${backlogMs} ms after it.`;

/** Whether a frame was under way in a slow moment, or in what such a moment had left behind. */
export function isTouched(moments, fromMs, toMs) {
  return moments.some((moment) => fromMs <= moment.toMs + backlogMs && toMs >= moment.fromMs);
}

/** The share of a stretch of time that was slow, 0..1. */
export function slowShare(moments, durationMs) {
  return moments.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0) / durationMs;
}
