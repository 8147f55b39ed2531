/** Fewer packets in a row can be lost at random, in bursts too. */
const MIN_PACKETS = 8;
/** A window is at least so long, and two round trips. */
const MIN_WINDOW_MS = 100;
/** When all losses of a window are known: packets behind them have been acknowledged, or a timer has asked. */
const VERDICT_ROUNDS = 1.5;
const VERDICT_MS = 60;
/** Of the bytes of a window; what is lost besides makes up for what is counted late. */
const LOST_SHARE = 0.9;
/** So long nothing comes back at all: whatever the reason, small packets are the ones to ask with. */
const SILENT_ROUNDS = 3;
const SILENT_MS = 150;

interface Window {
  readonly startMs: number;
  readonly lostBytes: number;
  sentBytes: number;
  packets: number;
  endMs: number | undefined;
}

/**
 * Notices that large packets do not get through any more (RFC 8899 4.3, RFC 9000 14.3). It knows totals only, which
 * is all that the engine tells: packets that were sent, bytes that were lost.
 */
export class BlackHoleWatch {
  #window: Window | undefined;
  /** When the first large packet was sent that nothing came after. */
  #unansweredMs: number | undefined;

  /** A packet above the base size was sent. */
  handleSent(bytes: number, nowMs: number, lostBytes: number): void {
    this.#unansweredMs ??= nowMs;
    this.#window ??= { startMs: nowMs, lostBytes, sentBytes: 0, packets: 0, endMs: undefined };
    if (this.#window.endMs !== undefined) return;
    this.#window.sentBytes += bytes;
    this.#window.packets += 1;
  }

  /** Anything came from the peer. */
  handleReceived(): void {
    this.#unansweredMs = undefined;
  }

  /** Whether the large packets vanish. `lostBytes`: all that was lost so far. */
  look(nowMs: number, rttMs: number, lostBytes: number): boolean {
    if (this.#unansweredMs !== undefined && nowMs - this.#unansweredMs > SILENT_ROUNDS * rttMs + SILENT_MS) {
      return true;
    }
    const window = this.#window;
    if (window === undefined) return false;
    if (window.endMs === undefined) {
      const isLong = nowMs - window.startMs >= Math.max(MIN_WINDOW_MS, 2 * rttMs);
      if (isLong && window.packets >= MIN_PACKETS) window.endMs = nowMs;
      return false;
    }
    if (nowMs - window.endMs < VERDICT_ROUNDS * rttMs + VERDICT_MS) return false;
    this.#window = undefined;
    return lostBytes - window.lostBytes >= LOST_SHARE * window.sentBytes;
  }

  /** Begins anew: the size has changed, or the path has. */
  reset(): void {
    this.#window = undefined;
    this.#unansweredMs = undefined;
  }
}
