/**
 * The client's own work on frames: some at once, a few that wait, and no more. Its time is taken from when it starts,
 * since waiting is no sign of load.
 */
import type { Clock } from "@sluice/transport/core";

export interface ClientLane {
  /** Whether nothing more is taken now. */
  readonly isFull: boolean;
  /** Works that are under way or wait. */
  readonly length: number;
  /** @throws what `work` throws; RangeError where the lane is full */
  run<T>(work: () => T | Promise<T>): Promise<{ readonly value: T; readonly workMs: number }>;
}

export interface ClientLaneOptions {
  readonly concurrency: number;
  readonly maxWaiting: number;
  readonly clock: Clock;
}

export function createClientLane({ concurrency, maxWaiting, clock }: ClientLaneOptions): ClientLane {
  const waiting: (() => void)[] = [];
  let running = 0;

  async function takeTurn(): Promise<void> {
    if (running >= concurrency) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
  }

  /** The turn passes to the next one, or is free. */
  function passTurn(): void {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }

  return {
    get isFull() {
      return running >= concurrency && waiting.length >= maxWaiting;
    },
    get length() {
      return running + waiting.length;
    },
    async run(work) {
      if (this.isFull) throw new RangeError("the client's lane is full: ask `isFull` first");
      await takeTurn();
      const startMs = clock.now();
      try {
        const value = await work();
        return { value, workMs: clock.now() - startMs };
      } finally {
        passTurn();
      }
    },
  };
}
