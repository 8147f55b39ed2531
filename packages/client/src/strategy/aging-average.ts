/** An average of late samples that goes back to a prior while none come: what was true long ago may not be now. */
export interface AgingAverage {
  add(sample: number, nowMs: number): void;
  value(nowMs: number): number;
}

export interface AgingOptions {
  /** The share of a new sample. Default 1/8. */
  readonly gain?: number;
  /** A sample that comes so long after the one before it counts as much as all of those. Default: as any other. */
  readonly catchUpMs?: number;
}

/**
 * @param halfLifeMs in which half of the distance to the prior is gone, from one second after the last sample on
 */
export function createAgingAverage(
  prior: number,
  halfLifeMs: number,
  { gain = 1 / 8, catchUpMs = Number.POSITIVE_INFINITY }: AgingOptions = {},
): AgingAverage {
  let average = prior;
  let sampledMs = Number.NEGATIVE_INFINITY;
  let samples = 0;

  function value(nowMs: number): number {
    const idleMs = Math.max(0, nowMs - sampledMs - freshMs);
    return prior + (average - prior) * 0.5 ** (idleMs / halfLifeMs);
  }

  return {
    add(sample, nowMs) {
      // The first samples are a mean, with the prior as one of them, which does not outlast them.
      samples++;
      const now = value(nowMs);
      const late = samples === 1 ? 0 : 1 - 0.5 ** ((nowMs - sampledMs) / catchUpMs);
      average = now + (sample - now) * Math.max(gain, late, 1 / (samples + 1));
      sampledMs = nowMs;
    },
    value,
  };
}

const freshMs = 1_000;
