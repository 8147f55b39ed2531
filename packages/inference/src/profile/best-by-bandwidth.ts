import { type InferenceTerms, totalInferenceMs } from "@sluice/protocol";

/** An interval of bandwidths in which one way to run a network is the fastest. */
export interface BandwidthInterval<Option extends InferenceTerms> {
  readonly option: Option;
  /** 0: however little there is. */
  readonly fromBitsPerSecond: number;
  /** Infinity: however much there is. */
  readonly toBitsPerSecond: number;
}

/** What a way costs where bandwidth is no matter, and what it sends: I_t = base + bytes * 8000 / B. */
function lineOf(option: InferenceTerms, rttMs: number) {
  return {
    base: totalInferenceMs(option, { bitsPerSecond: Number.POSITIVE_INFINITY, rttMs }),
    bytes: option.bytes,
  };
}

/**
 * Which way is the fastest at which bandwidth. Over 1 / B each is a straight line, so the answer is the lower envelope
 * of the lines: the bandwidths between the intervals are the switching points.
 * @returns from the least bandwidth to the most; of equal ways the first one
 */
export function bestByBandwidth<Option extends InferenceTerms>(
  options: readonly Option[],
  rttMs: number,
): BandwidthInterval<Option>[] {
  const lines = options.map((option) => ({ option, ...lineOf(option, rttMs) }));
  // Without bandwidth who sends least wins.
  const order = (a: (typeof lines)[number], b: (typeof lines)[number]) =>
    a.bytes - b.bytes || a.base - b.base;
  let current = lines.reduce<(typeof lines)[number] | undefined>(
    (best, line) => (best === undefined || order(line, best) < 0 ? line : best),
    undefined,
  );
  const intervals: BandwidthInterval<Option>[] = [];
  let from = 0;
  while (current !== undefined) {
    const { option, base, bytes } = current;
    // The first line that gets below as the bandwidth grows: it sends more, and costs less otherwise.
    let next: (typeof lines)[number] | undefined;
    let to = Number.POSITIVE_INFINITY;
    for (const line of lines) {
      if (line.bytes <= bytes || line.base >= base) continue;
      const crossing = ((line.bytes - bytes) * 8000) / (base - line.base);
      if (crossing < to || (crossing === to && next !== undefined && line.base < next.base)) {
        next = line;
        to = crossing;
      }
    }
    intervals.push({ option, fromBitsPerSecond: from, toBitsPerSecond: to });
    current = next;
    from = to;
  }
  return intervals;
}
