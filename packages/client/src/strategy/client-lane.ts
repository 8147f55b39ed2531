/**
 * The client's part of all candidates: works one after the other, and a frame that waits for its turn only where its
 * result could still be in time. Behind a work that takes longer than frames are apart, each of them would else be late by
 * the time that it has waited.
 */
import type { Clock } from "@sluice/transport/core";
import { createLane, runInLane } from "../lane.js";

export interface ClientLane {
  /**
   * @param workMs how long the work is expected to take
   * @param latestEndMs when it must be done
   */
  mayEnter(workMs: number, latestEndMs: number): boolean;
  /** Waits for its turn and works. @throws what the work throws */
  run<T>(work: () => T | Promise<T>, workMs: number): Promise<{ readonly value: T; readonly workMs: number }>;
}

/** Frames that wait while others are under way. */
const maxWaiting = 1;

/** @param concurrency works at once */
export function createClientLane(concurrency: number, clock: Clock): ClientLane {
  const lane = createLane({ name: "client", concurrency, queue: maxWaiting, clock });
  /** When each of the works under way is expected to end. */
  const ends = new Set<{ readonly atMs: number }>();

  return {
    mayEnter(workMs, latestEndMs) {
      if (lane.isFull) return false;
      // Whoever finds it idle goes, whatever is expected: nothing would be learnt otherwise.
      if (ends.size < concurrency) return true;
      const freeMs = Math.min(...[...ends].map(({ atMs }) => atMs));
      return Math.max(freeMs, clock.now()) + workMs <= latestEndMs;
    },
    run(work, workMs) {
      return runInLane(lane, async () => {
        const end = { atMs: clock.now() + workMs };
        ends.add(end);
        try {
          return await work();
        } finally {
          ends.delete(end);
        }
      });
    },
  };
}
