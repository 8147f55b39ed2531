/**
 * The queue in front of the model, for all sessions together: the frame whose result is due first runs first
 * (earliest deadline first), and a frame that could not be in time any more is shed before any work is done on it.
 */
import type { Clock } from "@sluice/transport";

export interface Job {
  /** When its result must leave, in milliseconds. */
  readonly expiresAtMs: number;
  /** What it holds while it waits. */
  readonly bytes: number;
  run(): Promise<void>;
  /** It will not run: it would be late, or the queue was full of frames that are due before it. */
  shed(reason: "late" | "full"): void;
}

export interface Scheduler {
  push(job: Job): void;
  readonly queued: number;
  /** Smoothed duration of a run, in milliseconds. */
  readonly runMs: number;
}

export interface SchedulerOptions {
  readonly clock: Clock;
  /** Jobs that run at once. */
  readonly concurrency: number;
  /** Jobs that wait at most; the one that is due last is shed. */
  readonly maxQueued: number;
  /** Bytes that the waiting jobs hold together at most. */
  readonly maxQueuedBytes: number;
}

export function createScheduler(options: SchedulerOptions): Scheduler {
  const { clock, concurrency, maxQueued, maxQueuedBytes } = options;
  // Sorted by expiry. It is short: what does not fit in the deadlines is shed.
  const queue: Job[] = [];
  let queuedBytes = 0;
  let running = 0;
  let runMs = 0;

  function push(job: Job): void {
    let at = queue.length;
    while (at > 0 && queue[at - 1]!.expiresAtMs > job.expiresAtMs) at--;
    queue.splice(at, 0, job);
    queuedBytes += job.bytes;
    // What can run at once is not in the way of anything.
    startNext();
    while (queue.length > maxQueued || queuedBytes > maxQueuedBytes) {
      const last = queue.pop()!;
      queuedBytes -= last.bytes;
      last.shed("full");
    }
  }

  function startNext(): void {
    while (running < concurrency && queue.length > 0) {
      const job = queue.shift()!;
      queuedBytes -= job.bytes;
      const startMs = clock.now();
      if (startMs + runMs > job.expiresAtMs) {
        job.shed("late");
        // One slow run must not shut the door for good.
        runMs *= 0.95;
        continue;
      }
      running++;
      const end = () => {
        running--;
        const tookMs = clock.now() - startMs;
        runMs += (tookMs - runMs) / 8;
        startNext();
      };
      // Whatever one session's job does, the others' go on: a failure nobody handled would end the process.
      void job.run().then(end, end);
    }
  }

  return {
    push,
    get queued() {
      return queue.length;
    },
    get runMs() {
      return runMs;
    },
  };
}
