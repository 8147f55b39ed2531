/**
 * A place where work is done on frames, one of a pipeline or the client's part of a network: so many works at once, and so many frames that wait for one. Who is in
 * keeps its place until the next lane has taken it in, so that a full lane holds up the one before it.
 */
import type { Clock } from "@sluice/transport";

export interface LaneOptions {
  readonly name: string;
  /** Works at once. */
  readonly concurrency: number;
  /** Frames that wait inside. */
  readonly queue: number;
  readonly clock: Clock;
}

/** Counts since the start; times in milliseconds. */
export interface LaneFigures {
  readonly name: string;
  readonly working: number;
  /** Frames inside that wait for their turn, or have had it and wait for the next lane. */
  readonly waiting: number;
  readonly completed: number;
  readonly failed: number;
  readonly meanMs: number;
  readonly maxMs: number;
  /** From the entry to the work's begin. */
  readonly meanWaitMs: number;
}

export interface Lane {
  readonly isFull: boolean;
  /** Waits for a place. @throws the signal's reason */
  enter(signal?: AbortSignal): Promise<void>;
  /** Takes its turn and works; to be called once after each {@link Lane.enter}. Work and its time come back. */
  work<T>(run: () => T | Promise<T>): Promise<{ readonly value: T; readonly workMs: number }>;
  leave(): void;
  figures(): LaneFigures;
}

export function createLane({ name, concurrency, queue, clock }: LaneOptions): Lane {
  const places = createPlaces(concurrency + queue);
  const turns = createPlaces(concurrency);
  let completed = 0;
  let failed = 0;
  let sumMs = 0;
  let maxMs = 0;
  let sumWaitMs = 0;
  return {
    get isFull() {
      return places.free === 0;
    },
    enter: places.take,
    async work(run) {
      const enteredMs = clock.now();
      await turns.take();
      const startMs = clock.now();
      try {
        const value = await run();
        completed++;
        const workMs = clock.now() - startMs;
        sumMs += workMs;
        sumWaitMs += startMs - enteredMs;
        maxMs = Math.max(maxMs, workMs);
        return { value, workMs };
      } catch (error) {
        failed++;
        throw error;
      } finally {
        turns.giveBack();
      }
    },
    leave: places.giveBack,
    figures() {
      const working = concurrency - turns.free;
      const mean = (sum: number) => (completed > 0 ? sum / completed : 0);
      return {
        ...{ name, working, waiting: concurrency + queue - places.free - working, completed, failed },
        ...{ meanMs: mean(sumMs), maxMs, meanWaitMs: mean(sumWaitMs) },
      };
    },
  };
}

/** One work from the entry to the leaving. */
export async function runInLane<T>(
  lane: Lane,
  run: () => T | Promise<T>,
): Promise<{ readonly value: T; readonly workMs: number }> {
  await lane.enter();
  try {
    return await lane.work(run);
  } finally {
    lane.leave();
  }
}

/** Places that are taken and given back, in the order in which they were asked for. */
function createPlaces(count: number) {
  const waiting = new Set<() => void>();
  let free = count;
  return {
    get free() {
      return free;
    },
    async take(signal?: AbortSignal): Promise<void> {
      signal?.throwIfAborted();
      if (free > 0) {
        free--;
        return;
      }
      await new Promise<void>((resolve, reject) => {
        const give = () => {
          signal?.removeEventListener("abort", abort);
          resolve();
        };
        const abort = () => {
          waiting.delete(give);
          reject(signal!.reason);
        };
        waiting.add(give);
        signal?.addEventListener("abort", abort, { once: true });
      });
    },
    giveBack(): void {
      const next = waiting.values().next();
      if (next.done) {
        free++;
        return;
      }
      waiting.delete(next.value);
      next.value();
    },
  };
}
