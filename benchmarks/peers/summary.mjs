import { quantile } from "../accuracy/quantile.mjs";

/** A frame with losses counts as usable with so many of its elements. */
export const USABLE_SHARE = 0.9;

const round = (value, digits) => (Number.isFinite(value) ? Number(value.toFixed(digits)) : null);

/**
 * Figures of a paced run. Shares are of all frames that were offered, sent or not.
 * @param {import("./workload.mjs").FrameResult[]} frames
 */
export function summarise(frames, { deadlineMs }) {
  const answered = frames.filter(({ status }) => status === "answered");
  const inTime = answered.filter(({ latencyMs, ok }) => ok && latencyMs <= deadlineMs);
  const latencies = answered.map(({ latencyMs }) => latencyMs);
  const shareOf = (some) => round(some.length / frames.length, 5);
  const count = (status) => frames.filter((frame) => frame.status === status).length;
  return {
    offered: frames.length,
    answered: answered.length,
    ...{ capped: count("capped"), dropped: count("dropped") },
    ...{ failed: count("failed"), unanswered: count("unanswered") },
    wrong: answered.filter(({ ok }) => !ok).length,
    inTime: shareOf(inTime),
    usable: shareOf(inTime.filter(({ share }) => share >= USABLE_SHARE)),
    complete: shareOf(inTime.filter(({ share }) => share === 1)),
    elementShare: round(inTime.reduce((sum, { share }) => sum + share, 0) / inTime.length, 5),
    p50Ms: round(quantile(latencies, 0.5), 2),
    p99Ms: round(quantile(latencies, 0.99), 2),
    maxMs: round(Math.max(...latencies), 2),
  };
}
