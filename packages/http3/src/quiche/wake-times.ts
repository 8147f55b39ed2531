/** Time, as {@link WakeTimes} sees it. */
export interface WakeClock {
  nowMs(): number;
  /** Calls back once after whole milliseconds; returns what `cancel` takes. */
  set(delayMs: number, call: () => void): unknown;
  cancel(timer: unknown): void;
}

const NODE_CLOCK: WakeClock = {
  nowMs: () => performance.now(),
  set: (delayMs, call) => setTimeout(call, delayMs),
  cancel: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/** Node counts from when its loop began to turn, so timers come that much early; who is due so soon is woken as well. */
const TOLERANCE_MS = 0.5;
/** A timer that would wake nobody soon is moved, at most so often, and not where finding out takes long. */
const SOON_MS = 8;
const MOVE_MS = 1;
const MAX_LOOKED_AT = 64;

/**
 * Wakes each of many at a time of its own, by one timer for all. Connections put off nearly all of their times before they
 * come: an answer that came in time, a packet that was acknowledged. A timer of its own for each, or a turn each time
 * that one fires, would cost more than the packets of a slow stream.
 */
export class WakeTimes<T> {
  readonly #entries = new Map<T, { atMs: number }>();
  #timer: unknown;
  /** When it fires; infinity where there is none. */
  #timerAtMs = Number.POSITIVE_INFINITY;
  #movedMs = Number.NEGATIVE_INFINITY;

  constructor(
    readonly onDue: (who: T) => void,
    readonly clock: WakeClock = NODE_CLOCK,
  ) {}

  /** How many have a place here, until {@link delete}. */
  get size(): number {
    return this.#entries.size;
  }

  /** When somebody may be woken next. */
  get nextMs(): number {
    return this.#timerAtMs;
  }

  keys(): Iterable<T> {
    return this.#entries.keys();
  }

  /** Wakes `who` at `atMs`, infinity for never, and no more at the time that was set before. */
  set(who: T, atMs: number, nowMs: number): void {
    const entry = this.#entries.get(who);
    if (entry === undefined) this.#entries.set(who, { atMs });
    else entry.atMs = atMs;
    if (atMs < this.#timerAtMs) this.#arm(atMs, nowMs);
  }

  delete(who: T): void {
    if (this.#entries.delete(who) && this.#entries.size === 0) this.#disarm();
  }

  /** Puts the timer off where all times behind it have been put off. */
  settle(nowMs: number): void {
    if (this.#timerAtMs - nowMs > SOON_MS) return;
    if (nowMs - this.#movedMs < MOVE_MS || this.#entries.size > MAX_LOOKED_AT) return;
    const firstMs = this.#firstMs();
    if (firstMs < this.#timerAtMs + MOVE_MS) return;
    this.#movedMs = nowMs;
    this.#disarm();
    if (firstMs !== Number.POSITIVE_INFINITY) this.#arm(firstMs, nowMs);
  }

  #firstMs(): number {
    let firstMs = Number.POSITIVE_INFINITY;
    for (const { atMs } of this.#entries.values()) firstMs = Math.min(firstMs, atMs);
    return firstMs;
  }

  #arm(atMs: number, nowMs: number): void {
    this.#disarm();
    this.#timerAtMs = atMs;
    this.#timer = this.clock.set(Math.max(1, Math.ceil(atMs - nowMs)), this.#fire);
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.clock.cancel(this.#timer);
    this.#timer = undefined;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
  }

  readonly #fire = (): void => {
    this.#timer = undefined;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.clock.nowMs();
    for (const [who, entry] of this.#entries) {
      if (entry.atMs > nowMs + TOLERANCE_MS) continue;
      entry.atMs = Number.POSITIVE_INFINITY;
      this.onDue(who);
    }
    const firstMs = this.#firstMs();
    if (firstMs < this.#timerAtMs) this.#arm(firstMs, nowMs);
  };
}
