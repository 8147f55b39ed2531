/** Measures the round trip with pings of its own, because browsers and some engines give no figure (spec 5.7). */
export interface Pinger {
  /** When the next ping is due. */
  nextTimeoutMs(): number;
  /** The next ping's id; it counts as sent now. `isHurried`: the next one follows soon. */
  take(nowMs: number, isHurried?: boolean): number;
  /** The round trip in milliseconds; `undefined` where the id is unknown or was answered before. */
  handlePong(id: number, nowMs: number): number | undefined;
}

/** The first pings come quickly: the gate needs a figure. */
const quickPings = 4;
const quickIntervalMs = 50;
const intervalMs = 250;
/** Pings may be lost; only so many are remembered. */
const maxOutstanding = 32;

export function createPinger(): Pinger {
  const sentMs = new Map<number, number>();
  let nextId = 1;
  let dueMs = Number.NEGATIVE_INFINITY;
  return {
    nextTimeoutMs: () => dueMs,
    take(nowMs, isHurried = false) {
      const id = nextId++;
      sentMs.set(id, nowMs);
      if (sentMs.size > maxOutstanding) sentMs.delete(sentMs.keys().next().value!);
      dueMs = nowMs + (isHurried || id <= quickPings ? quickIntervalMs : intervalMs);
      return id;
    },
    handlePong(id, nowMs) {
      const at = sentMs.get(id);
      sentMs.delete(id);
      return at === undefined ? undefined : nowMs - at;
    },
  };
}
