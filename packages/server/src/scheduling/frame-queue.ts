/**
 * The queue in front of the networks, for all sessions together, as a state machine without time of its own: which
 * frames run next and together, and which are given up. A frame that could not be in time any more is shed before any
 * work is done on it; the others take turns ({@link findNext}).
 */
import { holdUntilMs } from "./batch-hold.js";
import { type BatchCost, createCostCurve } from "./cost-curve.js";
import { createFairShares, type Share } from "./fair-shares.js";
import type { Job, Lane } from "./job.js";
import { findNext, frameCostMs } from "./next-frame.js";

export interface LaneOptions {
  readonly maxFrames: number;
  readonly costs: readonly BatchCost[];
  readonly maxUnderWay: number;
  readonly isSerial: boolean;
}

/** `late`: its result would be; `full`: the queue was, and its session had the most in it. */
export type ShedReason = "late" | "full";

export type QueueAction<J extends Job> =
  | { readonly type: "run"; readonly lane: Lane; readonly jobs: readonly J[] }
  | { readonly type: "shed"; readonly job: J; readonly reason: ShedReason };

export interface FrameQueue<J extends Job> {
  createShare(): Share;
  createLane(options: LaneOptions): Lane;
  /** It has come just now. */
  push(job: J): void;
  /** What is to be done now, one thing after another; `undefined`: nothing. */
  poll(nowMs: number): QueueAction<J> | undefined;
  /** A batch has ended, after so long at work; `undefined` where that says nothing about its size's cost. */
  finished(lane: Lane, frames: number, workMs: number | undefined, nowMs: number): void;
  /** Gives up what waits for a session that has ended; returns it. */
  drop(share: Share): readonly J[];
  /** When {@link FrameQueue.poll} may have something to do without anything having happened; Infinity: never. */
  nextTimeoutMs(): number;
  readonly waiting: number;
  readonly waitingBytes: number;
}

export interface FrameQueueOptions {
  /** Networks that work at once. */
  readonly concurrency: number;
  /** Frames that wait at most. */
  readonly maxWaiting: number;
  /** Bytes that they hold together at most. */
  readonly maxWaitingBytes: number;
}

/** Weight of a new gap between arrivals. */
const gapGain = 1 / 8;

export function createFrameQueue<J extends Job>(options: FrameQueueOptions): FrameQueue<J> {
  const { concurrency, maxWaiting, maxWaitingBytes } = options;
  const shares = createFairShares();
  // By expiry. It is short: what does not fit in the deadlines is shed.
  const queue: J[] = [];
  /** Those that frames wait for. */
  const lanes: Lane[] = [];
  /** Those of them that begin now, while it is found out with which frame. */
  const ready: Lane[] = [];
  const shed: { job: J; reason: ShedReason }[] = [];
  let waitingBytes = 0;
  let lanesAtWork = 0;
  let wakeAtMs = Number.POSITIVE_INFINITY;

  /** When a frame that is next for its lane would be done there. */
  function earliestEndMs(lane: Lane, nowMs: number): number {
    return (lane.isSerial ? Math.max(nowMs, lane.busyUntilMs) : nowMs) + lane.curve.msOf(1);
  }

  function isEligible({ share }: Job, allowanceMs: number): boolean {
    return shares.isEligible(share, allowanceMs);
  }

  function remove(index: number, costMs: number): J {
    const [job] = queue.splice(index, 1);
    waitingBytes -= job!.bytes;
    shares.left(job!.share, costMs);
    if (--job!.lane.waiting === 0) lanes.splice(lanes.indexOf(job!.lane), 1);
    return job!;
  }

  function give(index: number, reason: ShedReason, nowMs: number): void {
    const job = remove(index, 0);
    shed.push({ job, reason });
    if (reason === "late") doubt(job.lane, nowMs);
  }

  function takeShed(): QueueAction<J> {
    const { job, reason } = shed.shift()!;
    return { type: "shed", job, reason };
  }

  /** Nothing runs and yet frames are late: only running one shows whether it still takes so long. */
  function doubt(lane: Lane, nowMs: number): void {
    if (lane.underWay.length > 0) return;
    lane.curve.forget(Math.max(0, nowMs - lane.learntMs));
    lane.learntMs = nowMs;
  }

  /** Frames that will run before a new one: those due before it, of each session as many as its turn lets pass. */
  function countAhead(job: J): number {
    if (job.lane.waiting === 0) return 0;
    const { share: ownShare } = job;
    const others: Share[] = [];
    for (const { expiresAtMs, lane, share } of queue) {
      if (expiresAtMs > job.expiresAtMs) break;
      if (lane !== job.lane) continue;
      if (share.ahead++ === 0 && share !== ownShare) others.push(share);
    }
    const own = ownShare.ahead;
    ownShare.ahead = 0;
    let ahead = own;
    for (const share of others) {
      ahead += Math.min(share.ahead, own + 1);
      share.ahead = 0;
    }
    return ahead;
  }

  /** Makes room: of the session that has most in the queue, what is due last goes. */
  function shedMost(nowMs: number): void {
    let most: Share = queue[0]!.share;
    for (const { share } of queue) if (share.waiting > most.waiting) most = share;
    give(
      queue.findLastIndex(({ share }) => share === most),
      "full",
      nowMs,
    );
  }

  /** The batch that a lane would run now, first the frame at `index`; taken out of the queue. */
  function takeBatch(index: number, nowMs: number): J[] {
    const { lane } = queue[index]!;
    const { curve, busyUntilMs } = lane;
    const startMs = lane.isSerial ? Math.max(nowMs, busyUntilMs) : nowMs;
    const costMs = frameCostMs(lane);
    const frames = curve.nextFrames(lane.waiting);
    const jobs = [remove(index, costMs)];
    let { expiresAtMs } = jobs[0]!;
    const takes = (other: Lane) => other === lane;
    const nextEndMs = () => startMs + curve.msOf(jobs.length) + curve.msOf(1);
    while (jobs.length < frames) {
      const endMs = startMs + curve.msOf(jobs.length + 1);
      // One more must not make those late that are in it already.
      if (endMs > expiresAtMs) break;
      const next = findNext({ queue, isEligible, takes, endMs: nextEndMs, dueFromMs: endMs });
      if (next < 0) break;
      const job = remove(next, costMs);
      expiresAtMs = Math.min(expiresAtMs, job.expiresAtMs);
      jobs.push(job);
    }
    return jobs;
  }

  /** Whether a lane begins with what waits for it now. */
  function isReady(lane: Lane, nowMs: number): boolean {
    if (lane.underWay.length >= lane.maxUnderWay) return false;
    if (lane.underWay.length === 0 && lanesAtWork >= concurrency) return false;
    const { curve } = lane;
    if (curve.usefulFrames === 1) return true;
    const frames = lane.waiting;
    // Behind a batch at work only a full one is got ready: a smaller one has time to grow.
    if (lane.underWay.length > 0) return frames >= curve.usefulFrames;
    const first = queue.find((job) => job.lane === lane)!;
    const { gapMs, idleSinceMs } = lane;
    const untilMs = holdUntilMs({ curve, frames, gapMs, expiresAtMs: first.expiresAtMs, idleSinceMs });
    if (untilMs <= nowMs) return true;
    wakeAtMs = Math.min(wakeAtMs, untilMs);
    return false;
  }

  /** The place of the frame that a lane begins with now; -1 where none does, as mostly when a frame comes. */
  function findReady(nowMs: number): number {
    ready.length = 0;
    for (const lane of lanes) if (isReady(lane, nowMs)) ready.push(lane);
    if (ready.length === 0) return -1;
    const takes = (lane: Lane) => ready.includes(lane);
    const endMs = (lane: Lane) => earliestEndMs(lane, nowMs);
    return findNext({ queue, isEligible, takes, endMs, dueFromMs: 0 });
  }

  return {
    createShare: shares.create,
    createLane: ({ maxFrames, costs, maxUnderWay, isSerial }) => ({
      ...{ curve: createCostCurve(costs, maxFrames), maxUnderWay, isSerial, underWay: [], waiting: 0 },
      ...{ busyUntilMs: 0, idleSinceMs: 0, learntMs: Number.POSITIVE_INFINITY },
      ...{ gapMs: Number.POSITIVE_INFINITY, lastArrivalMs: Number.NaN },
    }),
    push(job) {
      const { lane, arrivedMs: nowMs } = job;
      const gapMs = nowMs - lane.lastArrivalMs;
      if (gapMs >= 0)
        lane.gapMs =
          lane.gapMs < Number.POSITIVE_INFINITY ? lane.gapMs + (gapMs - lane.gapMs) * gapGain : gapMs;
      lane.lastArrivalMs = nowMs;
      // An idle network's wait for more begins with the first frame that it could begin with.
      if (lane.underWay.length === 0 && lane.waiting === 0) lane.idleSinceMs = nowMs;
      const aheadMs = countAhead(job) * frameCostMs(lane);
      if (earliestEndMs(lane, nowMs) + aheadMs > job.expiresAtMs) {
        shed.push({ job, reason: "late" });
        doubt(lane, nowMs);
        return;
      }
      let at = queue.length;
      while (at > 0 && queue[at - 1]!.expiresAtMs > job.expiresAtMs) at--;
      queue.splice(at, 0, job);
      waitingBytes += job.bytes;
      shares.joined(job.share);
      if (lane.waiting++ === 0) lanes.push(lane);
    },
    poll(nowMs) {
      wakeAtMs = Number.POSITIVE_INFINITY;
      if (shed.length > 0) return takeShed();
      if (queue.length === 0) return undefined;
      // They stand by expiry: behind the first that would be in time on any network all are.
      let latestEndMs = 0;
      for (const lane of lanes) latestEndMs = Math.max(latestEndMs, earliestEndMs(lane, nowMs));
      for (let i = 0; i < queue.length && queue[i]!.expiresAtMs < latestEndMs; i++) {
        if (earliestEndMs(queue[i]!.lane, nowMs) <= queue[i]!.expiresAtMs) continue;
        give(i, "late", nowMs);
        return takeShed();
      }
      const next = findReady(nowMs);
      if (next >= 0) {
        const jobs = takeBatch(next, nowMs);
        const { lane } = jobs[0]!;
        if (lane.underWay.push(jobs.length) === 1) lanesAtWork++;
        lane.busyUntilMs = Math.max(nowMs, lane.busyUntilMs) + lane.curve.msOf(jobs.length);
        return { type: "run", lane, jobs };
      }
      // What can run at once is not in the way of anything: only what has to wait counts.
      if (queue.length > maxWaiting || waitingBytes > maxWaitingBytes) {
        shedMost(nowMs);
        return takeShed();
      }
      return undefined;
    },
    finished(lane, frames, workMs, nowMs) {
      if (workMs !== undefined) lane.curve.observe(frames, workMs);
      lane.underWay.splice(lane.underWay.indexOf(frames), 1);
      // What is got ready begins now: however far off the estimate was, it starts anew.
      lane.busyUntilMs = lane.underWay.reduce((sum, size) => sum + lane.curve.msOf(size), nowMs);
      if (lane.underWay.length > 0) return;
      lanesAtWork--;
      lane.idleSinceMs = nowMs;
      lane.learntMs = nowMs;
    },
    drop(share) {
      const dropped: J[] = [];
      for (let i = queue.length - 1; i >= 0; i--) {
        if (queue[i]!.share === share) dropped.push(remove(i, 0));
      }
      return dropped;
    },
    nextTimeoutMs: () => wakeAtMs,
    get waiting() {
      return queue.length;
    },
    get waitingBytes() {
      return waitingBytes;
    },
  };
}
