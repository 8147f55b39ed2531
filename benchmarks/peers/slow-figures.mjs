import { isTouched, slowShare } from "../pace/slow-moments.mjs";
import { summarise } from "./summary.mjs";

/**
 * What the machine's slow moments have to do with the frames of a paced run.
 * @param run.moments from the pace, of the whole run
 * @param run.startedMs when the workload began
 * @param run.seconds for how long the pace was watched, the warm-up included
 * @returns `share` of the time that was slow, and `clear`: the figures of the frames clear of it
 */
export function slowFiguresOf(frames, { moments, startedMs, seconds, deadlineMs }) {
  const isClear = ({ offeredMs, latencyMs = deadlineMs }) =>
    !isTouched(moments, startedMs + offeredMs, startedMs + offeredMs + Math.min(latencyMs, deadlineMs));
  const { offered, inTime, p99Ms } = summarise(frames.filter(isClear), { deadlineMs });
  return {
    share: Number(slowShare(moments, seconds * 1_000).toFixed(4)),
    clear: { offered, inTime, p99Ms },
  };
}
