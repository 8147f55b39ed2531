/**
 * What belongs to the frames of a session that are under way, by their names, in the order in which they were added.
 *
 * A `Map` that fills and empties with every frame makes a new table for each, and in V8 an old table keeps the one that
 * followed it alive: all that ever was of any frame then moves to the old space, which the garbage collector pays for.
 * Frames end mostly in the order in which they began, so the first place that is looked at holds what is asked for.
 */
export interface FrameTable<T> {
  get(stream: number, frame: number): T | undefined;
  /** Adds it behind the others, or puts it in the place of what is there. */
  set(stream: number, frame: number, value: T): void;
  /** Takes it out; `undefined` where there is none. */
  take(stream: number, frame: number): T | undefined;
  /** Takes the oldest out. */
  shift(): T | undefined;
  /** The oldest first; valid until the table changes. */
  readonly values: readonly T[];
  readonly size: number;
  clear(): void;
}

export function createFrameTable<T>(): FrameTable<T> {
  return new ArrayTable<T>();
}

class ArrayTable<T> implements FrameTable<T> {
  readonly #keys: number[] = [];
  readonly values: T[] = [];

  get size(): number {
    return this.values.length;
  }

  get(stream: number, frame: number): T | undefined {
    return this.values[this.#keys.indexOf(keyOf(stream, frame))];
  }

  set(stream: number, frame: number, value: T): void {
    const key = keyOf(stream, frame);
    const index = this.#keys.indexOf(key);
    if (index >= 0) {
      this.values[index] = value;
      return;
    }
    this.#keys.push(key);
    this.values.push(value);
  }

  take(stream: number, frame: number): T | undefined {
    const index = this.#keys.indexOf(keyOf(stream, frame));
    if (index === 0) return this.shift();
    if (index < 0) return undefined;
    this.#keys.splice(index, 1);
    return this.values.splice(index, 1)[0];
  }

  shift(): T | undefined {
    this.#keys.shift();
    return this.values.shift();
  }

  clear(): void {
    this.#keys.length = 0;
    this.values.length = 0;
  }
}

/**
 * Aliases have 14 bits and frame numbers 32, so it is exact. Names beyond these, which only a peer can make up, are not
 * those of any frame.
 */
function keyOf(stream: number, frame: number): number {
  return stream * 0x1_0000_0000 + frame;
}
