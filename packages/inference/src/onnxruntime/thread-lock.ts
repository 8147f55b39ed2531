/** A lock that threads of one process share. Whoever waits for it blocks its thread. */
export interface ThreadLock {
  /** Holds the lock while the function is at work. */
  hold<T>(use: () => Promise<T>): Promise<T>;
}

const free = 0;

/** Memory of a lock, which goes to each thread. */
export function createLockMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}

/** @param holder tells this thread from the others; not 0 */
export function openThreadLock(memory: SharedArrayBuffer, holder: number): ThreadLock {
  const state = new Int32Array(memory);
  return {
    async hold(use) {
      for (;;) {
        const other = Atomics.compareExchange(state, 0, free, holder);
        if (other === free) break;
        Atomics.wait(state, 0, other);
      }
      try {
        return await use();
      } finally {
        releaseThreadLock(memory, holder);
      }
    },
  };
}

/** Frees the lock if this holder has it: also for a thread that has ended with it. */
export function releaseThreadLock(memory: SharedArrayBuffer, holder: number): void {
  const state = new Int32Array(memory);
  if (Atomics.compareExchange(state, 0, holder, free) === holder) Atomics.notify(state, 0, 1);
}
