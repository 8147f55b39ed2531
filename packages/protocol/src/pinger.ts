import { silenceMs } from "./limits.js";

/** Measures the round trip with pings of its own, because browsers and some engines give no figure (spec 5.7). */
export interface Pinger {
  /** When the next ping is due. */
  nextTimeoutMs(): number;
  /** The next ping's id; it counts as sent now. */
  take(nowMs: number, conditions: PingConditions): number;
  /** Frames are under way, or somebody looks at the path: what is known of it must be fresh. */
  use(nowMs: number): void;
  /** The other side is heard again after a silence: the next ping is due now. */
  resume(nowMs: number): void;
  /** The round trip in milliseconds; `undefined` where the id is unknown or was answered before. */
  handlePong(id: number, nowMs: number): number | undefined;
}

/** What decides how soon the next ping follows. */
export interface PingConditions {
  /** When the other side was last heard of. */
  readonly heardMs: number;
  /** Soon: the path is dark, or was the limit a moment ago. */
  readonly isHurried?: boolean;
  /** The other side asks by itself as soon as it is back: while it is silent it is left alone, longer and longer. */
  readonly isPatient?: boolean;
}

/** The first pings come quickly: the gate needs a figure. */
const quickPings = 4;
const quickIntervalMs = 50;
const intervalMs = 250;
/** A server may have thousands of sessions without frames, each of which it answers and asks. */
const idleIntervalMs = 1_000;
/** A session is idle after so long without use. */
const idleAfterMs = 500;
/** After more silence than one lost ping explains, pings come as often as ever: they keep an idle session alive. */
export const silentAfterMs = 1_500;
/** The path is gone for longer: what is sent fills the window of the transport, which the first word of its return needs. */
const longSilenceIntervalMs = 500;
/** Pings may be lost; only so many are remembered. */
const maxOutstanding = 32;

export function createPinger(): Pinger {
  const sentMs = new Map<number, number>();
  let nextId = 1;
  let dueMs = Number.NEGATIVE_INFINITY;
  let takenMs = Number.NEGATIVE_INFINITY;
  /** A session that has just opened will be used. */
  let usedMs: number | undefined;
  let isRetreating = false;

  function silentPauseMs(silentMs: number, isPatient: boolean): number | undefined {
    if (isPatient) return silentMs > silentAfterMs ? silentMs : undefined;
    return silentMs > silenceMs ? longSilenceIntervalMs : undefined;
  }

  function pauseMs(id: number, nowMs: number, conditions: PingConditions): number {
    const { heardMs, isHurried = false, isPatient = false } = conditions;
    const silentMs = silentPauseMs(nowMs - heardMs, isPatient);
    isRetreating = silentMs !== undefined;
    if (silentMs !== undefined) return silentMs;
    if (isHurried || id <= quickPings) return quickIntervalMs;
    const isIdle = nowMs - usedMs! > idleAfterMs && nowMs - heardMs <= silentAfterMs;
    return isIdle ? idleIntervalMs : intervalMs;
  }

  return {
    nextTimeoutMs: () => dueMs,
    take(nowMs, conditions) {
      const id = nextId++;
      usedMs ??= nowMs;
      takenMs = nowMs;
      sentMs.set(id, nowMs);
      if (sentMs.size > maxOutstanding) sentMs.delete(sentMs.keys().next().value!);
      dueMs = nowMs + pauseMs(id, nowMs, conditions);
      return id;
    },
    use(nowMs) {
      usedMs = nowMs;
      if (!isRetreating) dueMs = Math.min(dueMs, takenMs + intervalMs);
    },
    resume(nowMs) {
      isRetreating = false;
      dueMs = nowMs;
    },
    handlePong(id, nowMs) {
      const at = sentMs.get(id);
      sentMs.delete(id);
      return at === undefined ? undefined : nowMs - at;
    },
  };
}
