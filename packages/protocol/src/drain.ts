/** The end of a session that finishes what is in flight (spec 2.4). */
export interface Drain {
  readonly code: number;
  readonly reason: string;
  /** When the session is closed at the latest; Infinity where whoever drains sees to it. */
  readonly endsMs: number;
  readonly startedMs: number;
}

/** Frames may be on their way: the client hears of the drain half a round trip later, and they take the other half. */
const minGraceMs = 200;
const graceRtts = 2;

/** When a drain is over, as things stand. */
export function drainOverMs(drain: Drain, isBusy: boolean, rttMs: number): number {
  const graceMs = Math.max(minGraceMs, graceRtts * rttMs);
  return isBusy ? drain.endsMs : Math.min(drain.endsMs, drain.startedMs + graceMs);
}
