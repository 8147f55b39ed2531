/**
 * How long datagrams wait in queues on their way, from when they were sent and when they arrived. The clocks of the two
 * sides differ by an unknown time that hardly changes, so delays are told from the smallest one of the last seconds
 * (RFC 6817 3.4.2, "base delay").
 */
import { createWindowedMin } from "./windowed-min.js";

export interface QueueDelay {
  /**
   * A datagram that was sent at `sentMs` of our clock arrived at `arrivedMs` of the other one. Returns how long it has
   * waited in queues, in milliseconds.
   */
  add(sentMs: number, arrivedMs: number, nowMs: number): number;
  /** A ping came back: it meets the queue at times that frames do not choose. */
  addRoundTrip(rttMs: number, nowMs: number): void;
  /** The least wait of the last moments, in milliseconds: a queue that never drains. 0 before the first sample. */
  standingMs(nowMs: number): number;
  /** The wait that the next datagram has to expect: smoothed, and 0 where nothing was sent for a while. */
  expectedMs(nowMs: number): number;
  /** A frame takes so long on the path, in milliseconds: its own datagrams queue behind each other for that long. */
  setFrameMs(ms: number): void;
  /** How long "the last moments" are, in milliseconds. */
  readonly standingWindowMs: number;
}

/** Long enough to meet an idle queue, short enough for clocks that drift by 100 parts in a million: one millisecond. */
const baseWindowMs = 10_000;
/**
 * A frame's datagrams queue behind each other; a frame later that is over. So the first of a frame, which met no queue,
 * still counts when the last of it comes.
 */
const leastStandingMs = 300;
const mostStandingMs = 4_000;
/** What headers and jitter add to a frame's time. */
const frameShare = 1.1;
const frameSlackMs = 100;

const smoothing = 64;
/** After so long a queue has drained, or is another one. */
const idleMs = 500;

export function createQueueDelay(): QueueDelay {
  const base = createWindowedMin(baseWindowMs);
  let standingWindowMs = leastStandingMs;
  const standing = createWindowedMin(standingWindowMs);
  const baseRtt = createWindowedMin(baseWindowMs);
  const standingRtt = createWindowedMin(standingWindowMs);
  let expected = 0;
  let sampledMs = Number.NEGATIVE_INFINITY;
  return {
    add(sentMs, arrivedMs, nowMs) {
      const delayMs = arrivedMs - sentMs;
      base.add(delayMs, nowMs);
      standing.add(delayMs, nowMs);
      if (nowMs - sampledMs > idleMs) expected = 0;
      sampledMs = nowMs;
      const queuedMs = delayMs - base.get(nowMs)!;
      expected += (queuedMs - expected) / smoothing;
      return queuedMs;
    },
    setFrameMs(ms) {
      standingWindowMs = Math.min(mostStandingMs, Math.max(leastStandingMs, frameShare * ms + frameSlackMs));
      standing.setWindow(standingWindowMs);
      standingRtt.setWindow(standingWindowMs);
    },
    get standingWindowMs() {
      return standingWindowMs;
    },
    expectedMs: (nowMs) => (nowMs - sampledMs > idleMs ? 0 : expected),
    addRoundTrip(rttMs, nowMs) {
      baseRtt.add(rttMs, nowMs);
      standingRtt.add(rttMs, nowMs);
      // It has met all queues there are: one of them is no longer than all of them.
      expected = Math.min(expected, rttMs - baseRtt.get(nowMs)!);
    },
    standingMs(nowMs) {
      const oneWayMs = above(base.get(nowMs), standing.get(nowMs));
      const roundTripMs = above(baseRtt.get(nowMs), standingRtt.get(nowMs));
      return Math.min(oneWayMs ?? 0, roundTripMs ?? Number.POSITIVE_INFINITY);
    },
  };
}

function above(baseMs: number | undefined, leastMs: number | undefined): number | undefined {
  return baseMs === undefined || leastMs === undefined ? undefined : leastMs - baseMs;
}
