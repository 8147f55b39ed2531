import { runSoon } from "./microtask.js";

/**
 * What arrived for a callback: handed over in order, each in its own microtask, and held in a bounded queue
 * until the callback is set. What finds the queue full goes to `refuse`.
 */
export class Arrivals<T> {
  #waiting: T[] = [];
  #handler: ((item: T) => void) | undefined;

  constructor(
    readonly limit: number,
    readonly refuse: (item: T) => void,
  ) {}

  add(item: T): void {
    const handler = this.#handler;
    if (handler !== undefined) runSoon(() => handler(item));
    else if (this.#waiting.length < this.limit) this.#waiting.push(item);
    else this.refuse(item);
  }

  on(handler: (item: T) => void): void {
    this.#handler = handler;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const item of waiting) runSoon(() => handler(item));
  }
}
