/** What real machines add to a path: timers of a millisecond, and a transport whose window opens (spec 3.4). */
import type { Random, VirtualClock } from "@sluice/simnet";

export interface RealPath {
  /** Timers fire at whole multiples of this, in milliseconds, or later: those of cores, and of a relay on the way. */
  readonly timerMs: number;
  /** What the transport lets out in its first round trip, in bytes; twice as much after each one that it held back. */
  readonly openingBytes: number;
  /** One of fifty timers fires up to so much later: other processes had the processor. */
  readonly stallMs: number;
  /** Every thread of both ends is without a core now and then; default: never. */
  readonly busy?: Busy;
  /** The machine slows down for all threads at once; default: never. */
  readonly slow?: Slow;
}

/** A machine whose host takes most of its cores' speed away, again and again. */
export interface Slow {
  readonly everyMs: number;
  readonly forMs: number;
  /** What is left of the speed, 0 to 1. */
  readonly speed: number;
  /** What a thread works on a datagram at full speed, in milliseconds. */
  readonly workMs: number;
}

/** How long a thread runs and how long it then has no core, on average, in milliseconds; both exponentially distributed. */
export interface Busy {
  readonly runMs: number;
  readonly offMs: number;
}

/** A thread that shares its core: when it runs. */
export interface Thread {
  /** `nowMs` itself where it runs then, else when it runs again. Times must not go back. */
  runsAtMs(nowMs: number): number;
  /** Runs what is to be done, now or when it runs again, in order. */
  when(run: () => void): void;
}

export function createThread(
  clock: VirtualClock,
  random: Random,
  { busy, slow }: Pick<RealPath, "busy" | "slow">,
): Thread {
  const draw = (meanMs: number) => -meanMs * Math.log(1 - random.next());
  let offMs = busy ? draw(busy.runMs) : Number.POSITIVE_INFINITY;
  let onMs = busy ? offMs + draw(busy.offMs) : Number.POSITIVE_INFINITY;
  /** When the work that was begun is done. */
  let freeMs = 0;
  function runsAtMs(nowMs: number): number {
    while (busy && nowMs >= onMs) {
      offMs = onMs + draw(busy.runMs);
      onMs = offMs + draw(busy.offMs);
    }
    return Math.max(freeMs, nowMs < offMs ? nowMs : onMs);
  }
  const waiting: (() => void)[] = [];
  function work(run: () => void): void {
    const nowMs = clock.now();
    if (slow) freeMs = nowMs + slow.workMs / (nowMs % slow.everyMs < slow.forMs ? slow.speed : 1);
    run();
  }
  function workOn(): void {
    clock.at(runsAtMs(clock.now()), () => {
      do {
        work(waiting[0]!);
        waiting.shift();
      } while (waiting.length > 0 && runsAtMs(clock.now()) <= clock.now());
      if (waiting.length > 0) workOn();
    });
  }
  return {
    runsAtMs,
    when(run) {
      if (waiting.length === 0 && runsAtMs(clock.now()) <= clock.now()) {
        work(run);
        return;
      }
      waiting.push(run);
      if (waiting.length === 1) workOn();
    },
  };
}

/** Hands packets over as a relay does that arms one timer for the next packet that is due. */
export function createTimedDelivery<T>(
  clock: VirtualClock,
  random: Random,
  { timerMs, stallMs }: RealPath,
  deliver: (packet: T) => void,
): (packet: T) => void {
  let due: T[] = [];
  let firedMs = 0;
  return (packet) => {
    due.push(packet);
    if (due.length > 1) return;
    const stalledMs = random.next() < 0.02 ? stallMs * random.next() : 0;
    const lateMs = timerMs * (0.05 + 0.25 * random.next()) + stalledMs;
    const waitMs = Math.ceil((clock.now() - firedMs) / timerMs) * timerMs + lateMs;
    clock.at(firedMs + Math.max(timerMs, waitMs), () => {
      firedMs = clock.now();
      const batch = due;
      due = [];
      for (const each of batch) deliver(each);
    });
  };
}

/** The most that leaves at once. */
const burstBytes = 16 * 1_350;

/** Sends packets as a QUIC whose window is new: spread over the round trip, and faster from one to the next. */
export function createOpeningTransport(
  clock: VirtualClock,
  rttMs: number,
  { openingBytes, timerMs }: RealPath,
): (bytes: number, send: () => void) => void {
  const waiting: { readonly bytes: number; readonly send: () => void }[] = [];
  let windowBytes = openingBytes;
  let tokens = burstBytes;
  let filledMs = 0;
  let isArmed = false;
  /** When what is held back now will have shown the path. */
  let growsMs = Number.POSITIVE_INFINITY;

  function flush(): void {
    const nowMs = clock.now();
    if (nowMs >= growsMs) {
      windowBytes *= 2;
      growsMs = Number.POSITIVE_INFINITY;
    }
    tokens = Math.min(burstBytes, tokens + ((nowMs - filledMs) * windowBytes) / rttMs);
    filledMs = nowMs;
    while (waiting.length > 0 && tokens > 0) {
      const { bytes, send } = waiting.shift()!;
      tokens -= bytes;
      send();
    }
    if (waiting.length === 0 || isArmed) return;
    growsMs = Math.min(growsMs, nowMs + rttMs);
    isArmed = true;
    clock.after(timerMs, () => {
      isArmed = false;
      flush();
    });
  }

  return (bytes, send) => {
    waiting.push({ bytes, send });
    flush();
  };
}
