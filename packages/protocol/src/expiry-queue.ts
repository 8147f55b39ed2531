/** Something that has to end by a time, and may end before in another way. */
export interface Expiring {
  readonly expiresAtMs: number;
  /** Set by the owner when it has ended; it is forgotten then. */
  done: boolean;
}

/** Finds what expires next among thousands without looking at all of them: a binary heap. */
export interface ExpiryQueue<T extends Expiring> {
  push(item: T): void;
  /** Takes out what has expired by `nowMs` and is not done, the earliest first. */
  takeExpired(nowMs: number): T | undefined;
  /** When the next one expires; Infinity where there is none. */
  nextMs(): number;
}

/** What is done stays in the heap until it comes to the top, or until it is this many and the most of it. */
const doneBeforeSweep = 64;

export function createExpiryQueue<T extends Expiring>(): ExpiryQueue<T> {
  let heap: T[] = [];
  let sinceSweep = 0;

  function siftUp(from: number): void {
    const item = heap[from]!;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.expiresAtMs <= item.expiresAtMs) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = item;
  }

  function siftDown(from: number): void {
    const item = heap[from]!;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.expiresAtMs < heap[child]!.expiresAtMs) child++;
      if (heap[child]!.expiresAtMs >= item.expiresAtMs) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = item;
  }

  function pop(): void {
    const last = heap.pop()!;
    if (heap.length === 0) return;
    heap[0] = last;
    siftDown(0);
  }

  /** Once for as many pushes as there are items: what is done cannot pile up, and a push costs no more for it. */
  function sweep(): void {
    sinceSweep = 0;
    heap = heap.filter((item) => !item.done);
    for (let at = (heap.length >> 1) - 1; at >= 0; at--) siftDown(at);
  }

  function peek(): T | undefined {
    while (heap[0]?.done) pop();
    return heap[0];
  }

  return {
    push(item) {
      heap.push(item);
      siftUp(heap.length - 1);
      if (++sinceSweep > doneBeforeSweep && sinceSweep * 2 > heap.length) sweep();
    },
    takeExpired(nowMs) {
      const item = peek();
      if (!item || item.expiresAtMs > nowMs) return undefined;
      pop();
      return item;
    },
    nextMs: () => peek()?.expiresAtMs ?? Number.POSITIVE_INFINITY,
  };
}
