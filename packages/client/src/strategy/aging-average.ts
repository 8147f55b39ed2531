/** An average of late samples that goes back to a prior while none come: what was true long ago may not be now. */
export interface AgingAverage {
  add(sample: number, nowMs: number): void;
  value(nowMs: number): number;
}

/** The share of a new sample. */
const gain = 1 / 8;

/** @param halfLifeMs in which half of the distance to the prior is gone, from one second after the last sample on */
export function createAgingAverage(prior: number, halfLifeMs: number): AgingAverage {
  let average = prior;
  let sampledMs = Number.NEGATIVE_INFINITY;
  let samples = 0;

  function value(nowMs: number): number {
    const idleMs = Math.max(0, nowMs - sampledMs - freshMs);
    return prior + (average - prior) * 0.5 ** (idleMs / halfLifeMs);
  }

  return {
    add(sample, nowMs) {
      // The first samples are a mean, so that the prior does not outlast them.
      samples++;
      const now = value(nowMs);
      average = now + (sample - now) * Math.max(gain, 1 / samples);
      sampledMs = nowMs;
    },
    value,
  };
}

const freshMs = 1_000;
