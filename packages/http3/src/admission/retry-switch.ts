/** When a server under load asks clients to prove their address. */
export interface RetrySwitchLimits {
  /** Handshakes under way at which it begins. */
  readonly handshakes: number;
  /** New connections in a second at which it begins. */
  readonly perSecond: number;
  /** Below half of both limits for so long it ends, in milliseconds. */
  readonly calmMs: number;
}

/** A handshake takes two round trips: 32 under way at 100 ms are 160 clients a second, or somebody who never ends them. */
export const DEFAULT_RETRY_SWITCH: RetrySwitchLimits = { handshakes: 32, perSecond: 100, calmMs: 5000 };

/** Time constant of the measured rate. */
const RATE_MS = 1000;

/**
 * Turns Retry on under load, and off again well below it (RFC 9000 8.1.2 leaves the policy to the server). Without the
 * gap between the two a flood would switch it with every packet.
 */
export class RetrySwitch {
  #isOn = false;
  /** Events of the last second, the older the less. */
  #recent = 0;
  #recentAtMs = 0;
  #calmSinceMs = Number.POSITIVE_INFINITY;

  constructor(readonly limits: RetrySwitchLimits = DEFAULT_RETRY_SWITCH) {}

  /** Somebody wants a new connection while `handshakes` others are under way: whether he has to prove his address. */
  decide(handshakes: number, nowMs: number): boolean {
    const { limits } = this;
    const elapsedMs = Math.max(0, nowMs - this.#recentAtMs);
    this.#recent = this.#recent * Math.exp(-elapsedMs / RATE_MS) + 1;
    this.#recentAtMs = nowMs;
    const perSecond = (this.#recent * 1000) / RATE_MS;
    if (handshakes >= limits.handshakes || perSecond >= limits.perSecond) {
      this.#isOn = true;
      this.#calmSinceMs = Number.POSITIVE_INFINITY;
    } else if (handshakes >= limits.handshakes / 2 || perSecond >= limits.perSecond / 2) {
      this.#calmSinceMs = Number.POSITIVE_INFINITY;
    } else if (this.#calmSinceMs === Number.POSITIVE_INFINITY) {
      this.#calmSinceMs = nowMs;
    } else if (nowMs - this.#calmSinceMs >= limits.calmMs) {
      this.#isOn = false;
    }
    return this.#isOn;
  }
}
