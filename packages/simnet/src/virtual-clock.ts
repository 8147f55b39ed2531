import { createMinHeap } from "./min-heap.js";

/** Names one scheduled call, for {@link VirtualClock.cancel}. */
export interface VirtualTimer {
  /** When it is due, in milliseconds of virtual time. */
  readonly timeMs: number;
}

/**
 * Time that passes only when told to. Calls run in the order of their times; calls of one time run in the order in
 * which they were scheduled. Nothing runs inside `at`, `after` or `cancel`.
 */
export interface VirtualClock {
  /** The present, in milliseconds; starts at `startMs`. */
  now(): number;
  /** Schedules a call. A time that is past means now. @throws RangeError when `timeMs` is not finite. */
  at(timeMs: number, call: () => void): VirtualTimer;
  /** Schedules a call `delayMs` from now; a negative delay means now. */
  after(delayMs: number, call: () => void): VirtualTimer;
  /** Takes a call back. False when it has run or was taken back before. */
  cancel(timer: VirtualTimer): boolean;
  /** Runs the next call and moves the present to its time. False when nothing is scheduled. */
  step(): boolean;
  /**
   * Runs everything that is due up to and including `timeMs`, also what is scheduled meanwhile, and moves the present
   * there. Returns how many calls ran. @throws Error when more than `maxCallsAtOneTime` run without time passing.
   */
  runUntil(timeMs: number): number;
  /** When the next call is due; `undefined` when nothing is scheduled. */
  nextTimeMs(): number | undefined;
  /** Number of scheduled calls. */
  readonly pending: number;
}

export interface VirtualClockOptions {
  /** Where time starts, in milliseconds. Default 0. */
  readonly startMs?: number;
  /** Guard against calls that reschedule themselves at their own time for ever. Default 1,000,000. */
  readonly maxCallsAtOneTime?: number;
}

interface Entry extends VirtualTimer {
  readonly order: number;
  /** `undefined` once it has run or was cancelled. */
  call: (() => void) | undefined;
}

/** Cancelled entries stay in the heap until they are due; above this many, when they are the majority, it is cleared. */
const CANCELLED_BEFORE_CLEARING = 64;

export function createVirtualClock(options: VirtualClockOptions = {}): VirtualClock {
  const { startMs = 0, maxCallsAtOneTime = 1_000_000 } = options;
  if (!Number.isFinite(startMs)) throw new RangeError(`startMs must be finite, got ${startMs}`);
  let presentMs = startMs;
  let nextOrder = 0;
  let cancelled = 0;
  let callsAtPresent = 0;
  const heap = createMinHeap<Entry>(
    (a, b) => a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.order < b.order),
  );

  function at(timeMs: number, call: () => void): VirtualTimer {
    if (!Number.isFinite(timeMs)) throw new RangeError(`timeMs must be finite, got ${timeMs}`);
    const entry: Entry = { timeMs: Math.max(timeMs, presentMs), order: nextOrder++, call };
    heap.push(entry);
    return entry;
  }

  /** The next entry that was not cancelled, left in the heap. */
  function peekLive(): Entry | undefined {
    for (;;) {
      const entry = heap.peek();
      if (entry === undefined || entry.call !== undefined) return entry;
      heap.pop();
      cancelled--;
    }
  }

  function advance(timeMs: number): void {
    if (timeMs > presentMs) callsAtPresent = 0;
    presentMs = Math.max(presentMs, timeMs);
  }

  function step(): boolean {
    const entry = peekLive();
    if (entry === undefined) return false;
    heap.pop();
    advance(entry.timeMs);
    if (++callsAtPresent > maxCallsAtOneTime) {
      throw new Error(`more than ${maxCallsAtOneTime} calls ran at ${presentMs} ms of virtual time`);
    }
    const call = entry.call!;
    entry.call = undefined;
    call();
    return true;
  }

  return {
    now: () => presentMs,
    at,
    after: (delayMs, call) => at(presentMs + delayMs, call),
    cancel(timer) {
      // Only `at` makes timers, so what comes back is an Entry.
      const entry = timer as Entry;
      if (entry.call === undefined) return false;
      entry.call = undefined;
      cancelled++;
      if (cancelled > CANCELLED_BEFORE_CLEARING && cancelled * 2 > heap.size) {
        heap.retain((other) => other.call !== undefined);
        cancelled = 0;
      }
      return true;
    },
    step,
    runUntil(timeMs) {
      if (!Number.isFinite(timeMs)) throw new RangeError(`timeMs must be finite, got ${timeMs}`);
      let ran = 0;
      for (let entry = peekLive(); entry !== undefined && entry.timeMs <= timeMs; entry = peekLive()) {
        step();
        ran++;
      }
      advance(timeMs);
      return ran;
    },
    nextTimeMs: () => peekLive()?.timeMs,
    get pending() {
      return heap.size - cancelled;
    },
  };
}
