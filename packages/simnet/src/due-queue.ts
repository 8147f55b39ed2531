import { createMinHeap } from "./min-heap.js";

/** Items that wait for their time on a real clock: one heap and one timer for all of them. */
export interface DueQueue<T> {
  /** Hands the item over at `dueMs`, or at once when that is past. Items of one time keep their order. */
  add(item: T, dueMs: number): void;
  /** Hands over everything now, in the order of its times, and stops the timer. */
  drain(): void;
}

interface Entry<T> {
  readonly dueMs: number;
  readonly order: number;
  readonly item: T;
}

/** Creates a queue on `now`, in milliseconds. `onDue` runs at an item's time or up to about 1 ms later, never earlier. */
export function createDueQueue<T>(now: () => number, onDue: (item: T) => void): DueQueue<T> {
  const heap = createMinHeap<Entry<T>>(
    (a, b) => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order),
  );
  let nextOrder = 0;
  let timer: NodeJS.Timeout | undefined;
  let timerDueMs = Number.POSITIVE_INFINITY;

  function release(): void {
    // One reading of the clock for the batch: what becomes due meanwhile is the next batch, so sockets get their turn.
    const nowMs = now();
    for (let head = heap.peek(); head !== undefined && head.dueMs <= nowMs; head = heap.peek()) {
      heap.pop();
      onDue(head.item);
    }
    arm(nowMs);
  }

  function arm(nowMs: number): void {
    const head = heap.peek();
    if (head === undefined || head.dueMs >= timerDueMs) return;
    clearTimeout(timer);
    timerDueMs = head.dueMs;
    // setTimeout counts whole milliseconds, 1 at least. No spinning for less: it would cost a core that is shared.
    const delayMs = Math.max(1, Math.ceil(head.dueMs - nowMs));
    timer = setTimeout(() => {
      timerDueMs = Number.POSITIVE_INFINITY;
      release();
    }, delayMs);
  }

  return {
    add(item, dueMs) {
      const nowMs = now();
      heap.push({ dueMs, order: nextOrder++, item });
      if (dueMs <= nowMs) release();
      else arm(nowMs);
    },
    drain() {
      clearTimeout(timer);
      timerDueMs = Number.POSITIVE_INFINITY;
      for (let head = heap.pop(); head !== undefined; head = heap.pop()) onDue(head.item);
    },
  };
}
