/** A priority queue: the item that comes before all others is taken first. */
export interface MinHeap<T> {
  readonly size: number;
  push(item: T): void;
  /** The first item, left in place; `undefined` when empty. */
  peek(): T | undefined;
  /** Removes the first item and returns it; `undefined` when empty. */
  pop(): T | undefined;
  /** Removes every item for which `keep` is false. */
  retain(keep: (item: T) => boolean): void;
}

/** Creates a binary heap. `before` must be a strict order; items that it does not tell apart come in any order. */
export function createMinHeap<T>(before: (a: T, b: T) => boolean): MinHeap<T> {
  let items: T[] = [];

  function siftUp(start: number): void {
    let child = start;
    const item = items[child]!;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!before(item, items[parent]!)) break;
      items[child] = items[parent]!;
      child = parent;
    }
    items[child] = item;
  }

  function siftDown(start: number): void {
    let parent = start;
    const item = items[parent]!;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(items[child + 1]!, items[child]!)) child++;
      if (!before(items[child]!, item)) break;
      items[parent] = items[child]!;
      parent = child;
    }
    items[parent] = item;
  }

  return {
    get size() {
      return items.length;
    },
    push(item) {
      items.push(item);
      siftUp(items.length - 1);
    },
    peek: () => items[0],
    pop() {
      const first = items[0];
      const last = items.pop();
      if (items.length > 0) {
        items[0] = last!;
        siftDown(0);
      }
      return first;
    },
    retain(keep) {
      items = items.filter(keep);
      for (let i = (items.length >> 1) - 1; i >= 0; i--) siftDown(i);
    },
  };
}
