/** A virtual clock in the form that drivers take, and a way to let time pass with everything that waits for it. */
import { createVirtualClock, type VirtualTimer } from "@sluice/simnet";
import type { Clock } from "@sluice/transport";

export interface VirtualTime extends Clock {
  /** Runs timers one after the other, and after each what follows from it, until so much time has passed. */
  advance(ms: number): Promise<void>;
}

/** Lets promises run until none follows from another: a macrotask comes after all microtasks. */
export async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

export function createVirtualTime(): VirtualTime {
  const clock = createVirtualClock();
  return {
    now: clock.now,
    schedule: clock.after,
    cancel: (timer) => clock.cancel(timer as VirtualTimer),
    async advance(ms) {
      const endMs = clock.now() + ms;
      await settle();
      for (let next = clock.nextTimeMs(); next !== undefined && next <= endMs; next = clock.nextTimeMs()) {
        clock.runUntil(next);
        await settle();
      }
      clock.runUntil(endMs);
      await settle();
    },
  };
}
