/** Runs frames on networks as the {@link FrameQueue} says. */
import type { Clock } from "@sluice/transport";
import { defaultMaxUnderWay, type ServedFrame, type ServedNetwork } from "../served-model.js";
import type { Share } from "./fair-shares.js";
import { createFrameQueue, type FrameQueueOptions, type ShedReason } from "./frame-queue.js";
import type { Job, Lane } from "./job.js";

/** One session's, among which the networks' time is shared. */
export interface Account extends Share {
  /** Frames that it has brought. */
  offered: number;
}

/** A frame to be run on a network. */
export interface FrameTask {
  readonly account: Account;
  readonly network: ServedNetwork<unknown>;
  /** When its result must leave, in milliseconds. */
  readonly expiresAtMs: number;
  /** What it holds while it waits. */
  readonly bytes: number;
  /** Decodes it, when its turn has come; `undefined`: there is nothing to run, and it has been answered. */
  prepare(): ServedFrame | undefined;
  /** The network has run on it: it waited so long after its decoding, and the batch that it was in took so long. */
  done(output: unknown, waitMs: number, inferenceMs: number): void;
  failed(error: unknown, waitMs: number, inferenceMs: number): void;
  /** It will not run; `closed`: its session has ended. */
  shed(reason: ShedReason | "closed"): void;
}

export interface Scheduler {
  openAccount(): Account;
  /** The session has ended: what waits for it is given up. */
  closeAccount(account: Account): void;
  push(task: FrameTask): void;
  /** Frames that wait, and the bytes that they hold. */
  readonly waiting: number;
  readonly waitingBytes: number;
  /** What it has done, for whoever watches the load. */
  readonly figures: SchedulerFigures;
}

export interface SchedulerFigures {
  /** Batches and frames that networks have worked on. */
  readonly batches: number;
  readonly frames: number;
  /** How long at least one network was at work. */
  readonly busyMs: number;
  /** Frames that were shed because they would have been late or the queue was full. */
  readonly shed: number;
  /** Batches that failed and were tried again frame by frame. */
  readonly retriedBatches: number;
}

interface TaskJob extends Job {
  readonly task: FrameTask;
}

/** Without a spread, which would give each of them a form of its own in V8: the queue looks at all of them for each that it takes. */
export function jobOf(task: FrameTask, lane: Lane, arrivedMs: number): TaskJob {
  const { account: share, expiresAtMs, bytes } = task;
  return { task, share, lane, expiresAtMs, bytes, arrivedMs };
}

interface Prepared {
  readonly task: FrameTask;
  readonly frame: ServedFrame;
}

export interface SchedulerOptions extends FrameQueueOptions {
  readonly clock: Clock;
  /** A network begins with so many frames. */
  readonly onBatch?: (frames: number) => void;
}

export function createScheduler(options: SchedulerOptions): Scheduler {
  const { clock } = options;
  const queue = createFrameQueue<TaskJob>(options);
  const lanes = new WeakMap<ServedNetwork<unknown>, Lane>();
  const networkEndedAtMs = new WeakMap<Lane, number>();
  const figures = { batches: 0, frames: 0, busyMs: 0, shed: 0, retriedBatches: 0 };
  let timer: unknown;
  let timerAtMs = Number.POSITIVE_INFINITY;
  let polling = false;
  let atWork = 0;
  let busySinceMs = 0;

  function laneOf(network: ServedNetwork<unknown>): Lane {
    let lane = lanes.get(network);
    if (!lane) {
      const { maxFrames = 1, costs = [], maxUnderWay = defaultMaxUnderWay, isSerial = false } = network;
      lane = queue.createLane({ maxFrames, costs, maxUnderWay, isSerial });
      lanes.set(network, lane);
    }
    return lane;
  }

  function poll(): void {
    // What a callback pushes is seen by the loop that called it.
    if (polling) return;
    polling = true;
    for (let action = queue.poll(clock.now()); action; action = queue.poll(clock.now())) {
      if (action.type === "shed") {
        figures.shed++;
        action.job.task.shed(action.reason);
      } else void runBatch(action.lane, action.jobs);
    }
    polling = false;
    arm(queue.nextTimeoutMs());
  }

  /** A timer that is early enough stays: moving it for each frame would cost more than a look for nothing. */
  function arm(wakeAtMs: number): void {
    if (timerAtMs <= wakeAtMs) return;
    if (timer !== undefined) clock.cancel(timer);
    timerAtMs = wakeAtMs;
    timer = clock.schedule(Math.max(0, wakeAtMs - clock.now()), () => {
      timer = undefined;
      timerAtMs = Number.POSITIVE_INFINITY;
      poll();
    });
  }

  async function runBatch(lane: Lane, jobs: readonly TaskJob[]): Promise<void> {
    const prepared: Prepared[] = [];
    for (const { task } of jobs) {
      const frame = task.prepare();
      if (frame) prepared.push({ task, frame });
    }
    let workMs: number | undefined;
    // Whatever one session's frame does, the others' go on: a failure nobody handled would end the process.
    if (prepared.length > 0) workMs = await work(lane, prepared).catch(() => undefined);
    queue.finished(lane, jobs.length, prepared.length === jobs.length ? workMs : undefined, clock.now());
    poll();
  }

  /** Runs what is decoded; how long the network took where all went well. */
  async function work(lane: Lane, batch: readonly Prepared[]): Promise<number | undefined> {
    const preparedAtMs = clock.now();
    const { network } = batch[0]!.task;
    /** A serial network begins when it has ended with the batch before. */
    const times = () => {
      const endMs = clock.now();
      if (--atWork === 0) figures.busyMs += endMs - busySinceMs;
      const before = lane.isSerial ? (networkEndedAtMs.get(lane) ?? 0) : 0;
      const startMs = Math.max(preparedAtMs, before);
      networkEndedAtMs.set(lane, endMs);
      return { waitMs: startMs - preparedAtMs, inferenceMs: endMs - startMs };
    };
    figures.batches++;
    figures.frames += batch.length;
    options.onBatch?.(batch.length);
    if (atWork++ === 0) busySinceMs = preparedAtMs;
    let outputs: readonly unknown[];
    try {
      const lastMs = batch.reduce((latest, { task }) => Math.max(latest, task.expiresAtMs), 0);
      const timeoutMs = Math.max(1, lastMs - preparedAtMs);
      outputs = await network.run(
        batch.map(({ frame }) => frame),
        { timeoutMs },
      );
      if (outputs.length !== batch.length) {
        throw new Error(`the network gave ${outputs.length} outputs for ${batch.length} frames`);
      }
    } catch (error) {
      const { waitMs, inferenceMs } = times();
      if (batch.length > 1) await retryEach(lane, batch);
      else if (clock.now() < batch[0]!.task.expiresAtMs) batch[0]!.task.failed(error, waitMs, inferenceMs);
      else shedLate(batch[0]!);
      return undefined;
    }
    const { waitMs, inferenceMs } = times();
    batch.forEach(({ task }, i) => {
      task.done(outputs[i], waitMs, inferenceMs);
    });
    return inferenceMs;
  }

  /** One frame has spoilt the batch, nobody knows which: each is judged by itself, as long as it can be in time. */
  async function retryEach(lane: Lane, batch: readonly Prepared[]): Promise<void> {
    figures.retriedBatches++;
    for (const one of batch) {
      if (clock.now() + lane.curve.msOf(1) > one.task.expiresAtMs) shedLate(one);
      else await work(lane, [one]);
    }
  }

  function shedLate({ task }: Prepared): void {
    figures.shed++;
    task.shed("late");
  }

  return {
    openAccount: () => Object.assign(queue.createShare(), { offered: 0 }),
    closeAccount(account) {
      for (const { task } of queue.drop(account)) task.shed("closed");
      poll();
    },
    push(task) {
      task.account.offered++;
      queue.push(jobOf(task, laneOf(task.network), clock.now()));
      poll();
    },
    get waiting() {
      return queue.waiting;
    },
    get waitingBytes() {
      return queue.waitingBytes;
    },
    get figures() {
      const sinceMs = atWork > 0 ? clock.now() - busySinceMs : 0;
      return { ...figures, busyMs: figures.busyMs + sinceMs };
    },
  };
}
