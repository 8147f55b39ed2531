import { createVirtualClock } from "@sluice/simnet";
import type { BatchCost } from "#src/scheduling/cost-curve.js";
import { createFrameQueue, type FrameQueueOptions } from "#src/scheduling/frame-queue.js";
import type { Job } from "#src/scheduling/job.js";

export interface NamedJob extends Job {
  readonly name: string;
}

/** A queue on virtual time in front of networks that take exactly as long as is said. */
export function simulateQueue(options: Partial<FrameQueueOptions> = {}) {
  const clock = createVirtualClock();
  const queue = createFrameQueue<NamedJob>({
    ...{ concurrency: 1, maxWaiting: 1_000, maxWaitingBytes: 1e9, ...options },
  });
  const log: string[] = [];
  const ends = new Map<string, number>();
  const costs = new Map<unknown, (frames: number) => number>();
  const freeAt = new Map<unknown, number>();
  let timer: ReturnType<typeof clock.at> | undefined;

  function poll(): void {
    for (let action = queue.poll(clock.now()); action; action = queue.poll(clock.now())) {
      if (action.type === "shed") {
        log.push(`${action.job.name} ${action.reason}`);
        continue;
      }
      const { lane, jobs } = action;
      log.push(jobs.map(({ name }) => name).join("+"));
      const workMs = costs.get(lane)!(jobs.length);
      const endMs = Math.max(clock.now(), freeAt.get(lane) ?? 0) + workMs;
      freeAt.set(lane, endMs);
      clock.at(endMs, () => {
        for (const { name } of jobs) ends.set(name, clock.now());
        queue.finished(lane, jobs.length, workMs, clock.now());
        poll();
      });
    }
    if (timer) clock.cancel(timer);
    const wakeAtMs = queue.nextTimeoutMs();
    timer = wakeAtMs === Number.POSITIVE_INFINITY ? undefined : clock.at(wakeAtMs, poll);
  }

  return {
    clock,
    queue,
    /** What ran together, and what was shed, in order. */
    log,
    /** When each frame was done. */
    ends,
    /** `measured`: what was found out about it beforehand; default: the truth. */
    createLane(cost: (frames: number) => number, maxFrames = 8, measured?: readonly BatchCost[]) {
      const sizes = [1, 2, 4, 8, 16].filter((frames) => frames <= maxFrames);
      const lane = queue.createLane({
        ...{ maxFrames, maxUnderWay: 2, isSerial: true },
        costs: measured ?? sizes.map((frames) => ({ frames, ms: cost(frames) })),
      });
      costs.set(lane, cost);
      return lane;
    },
    push(job: Omit<NamedJob, "bytes" | "arrivedMs"> & { readonly bytes?: number }) {
      queue.push({ bytes: 1, ...job, arrivedMs: clock.now() });
      poll();
    },
    run: (untilMs: number) => clock.runUntil(untilMs),
  };
}
