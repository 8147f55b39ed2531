import { bounds, link } from "./cells.mjs";

/** The value below which a share of sorted numbers lies. */
export function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/**
 * Figures of one run from its frames that had a result: `{ latencyMs, onTime, received }`, the share of its elements
 * that arrived.
 */
export function figuresOf({ bytes, seconds, offered, admitted, frames }) {
  const latencies = frames.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
  const inTime = frames.filter(({ onTime }) => onTime);
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return {
    offered,
    admitted,
    onTime: inTime.length,
    onTimeShare: inTime.length / Math.max(1, admitted),
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    meanReceived: mean(inTime.map(({ received }) => received)),
    /** Of the admitted frames: in time with at least nine tenths of their elements. */
    wholeShare: inTime.filter(({ received }) => received >= 0.9).length / Math.max(1, admitted),
    /** The same with all of them. */
    completeShare: inTime.filter(({ received }) => received === 1).length / Math.max(1, admitted),
    goodputBitsPerSecond: (inTime.length * bytes * 8) / seconds,
  };
}

/** The bounds that a run missed, by name. */
export function missedBounds(bytes, figures) {
  const bound = bounds[bytes];
  const missed = [];
  if (figures.onTimeShare < bound.onTimeShare) missed.push("on time");
  if (bound.p99Ms !== undefined && !(figures.p99Ms <= bound.p99Ms)) missed.push("p99");
  if (bound.meanReceived !== undefined && figures.meanReceived < bound.meanReceived) missed.push("received");
  if (
    bound.goodputShare !== undefined &&
    figures.goodputBitsPerSecond < bound.goodputShare * link.rateBitsPerSecond
  ) {
    missed.push("goodput");
  }
  return missed;
}
