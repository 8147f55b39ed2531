/**
 * Which of the frames that wait runs next. While nobody would be late, sessions take turns: who has used least of the networks'
 * time is first, so that neither a burst nor a deadline claimed to be near is ahead of those who send little. A frame that
 * would be late otherwise goes before all that are due after it (earliest deadline first).
 */
import type { Job, Lane } from "./job.js";

/** Frames that a session may be ahead of its share where deadlines decide. */
const allowedFrames = 2;
/**
 * Of the time that a frame has when it comes, so much may pass before its deadline decides: the rest is for those that come
 * later and are due sooner, and for a machine that is slower than expected.
 */
const patientShare = 0.5;

/** What a frame costs in a batch of the useful size, in milliseconds. */
export function frameCostMs({ curve }: Lane): number {
  return curve.msOf(curve.usefulFrames) / curve.usefulFrames;
}

export interface NextQuestion {
  /** Those that wait, by expiry. */
  readonly queue: readonly Job[];
  /** Lanes that take frames now. */
  takes(lane: Lane): boolean;
  /** When the frame that is next for such a lane would be done. */
  endMs(lane: Lane): number;
  /** Those due before that do not come into question, though others may have to wait for them. 0: all do. */
  readonly dueFromMs: number;
  /** Whether a frame's session has used no more than its share, give or take `allowanceMs`. */
  isEligible(job: Job, allowanceMs: number): boolean;
}

/** The place in the queue of the frame that is next; -1 where there is none. */
export function findNext({ queue, takes, endMs, dueFromMs, isEligible }: NextQuestion): number {
  let next = -1;
  let waitingForShare = -1;
  /** How much longer those due before can wait. */
  let patienceMs = Number.POSITIVE_INFINITY;
  let aheadMs = 0;
  // Most frames are of one lane.
  let lane: Lane | undefined;
  let costMs = 0;
  let laneEndMs = 0;
  for (let i = 0; i < queue.length; i++) {
    const job = queue[i]!;
    if (job.lane !== lane) {
      if (!takes(job.lane)) continue;
      lane = job.lane;
      costMs = frameCostMs(lane);
      laneEndMs = endMs(lane);
    }
    const mayRun = job.expiresAtMs >= dueFromMs;
    if (!isEligible(job, allowedFrames * costMs)) {
      if (mayRun && isBefore(job, queue[waitingForShare])) waitingForShare = i;
      continue;
    }
    if (patienceMs < costMs) break;
    if (mayRun && isBefore(job, queue[next])) next = i;
    const patientUntilMs = job.arrivedMs + patientShare * (job.expiresAtMs - job.arrivedMs);
    patienceMs = Math.min(patienceMs, patientUntilMs - laneEndMs - aheadMs);
    aheadMs += costMs;
  }
  // Those beyond their share get what nobody else wants.
  return next < 0 && patienceMs >= costMs ? waitingForShare : next;
}

/** Whether it has its turn before the other: its session has used less, or the same and it came first. */
function isBefore({ share, arrivedMs }: Job, other: Job | undefined): boolean {
  if (other === undefined || share.usedMs < other.share.usedMs) return true;
  return share.usedMs === other.share.usedMs && arrivedMs < other.arrivedMs;
}
