/**
 * When a client whose session has ended tries again (spec 2.7): exponential backoff with full jitter, so that the
 * clients of a server that comes back do not come back all at once. Time and randomness are arguments.
 */
export interface ReconnectPolicy {
  /** A session is open. */
  opened(nowMs: number): void;
  /** A session or an attempt has ended: how long to wait before the next attempt, in milliseconds; `undefined`: give up. */
  ended(mayTryAgain: boolean, nowMs: number): number | undefined;
  /** Attempts since the last session that was stable. */
  readonly attempts: number;
}

export interface ReconnectPolicyOptions {
  /** Uniform in 0 up to 1. */
  readonly random: () => number;
  /** The longest wait before the first attempt; it doubles from attempt to attempt. Default 100. */
  readonly firstMs?: number;
  /** The longest wait at all. Default 5,000. */
  readonly maxMs?: number;
  /** A session that lasted so long makes the next wait a first one. Default 10,000. */
  readonly stableMs?: number;
  /** Attempts in a row after which to give up. Default: never. */
  readonly maxAttempts?: number;
}

export function createReconnectPolicy(options: ReconnectPolicyOptions): ReconnectPolicy {
  const { random, firstMs = 100, maxMs = 5_000, stableMs = 10_000 } = options;
  const { maxAttempts = Number.POSITIVE_INFINITY } = options;
  let attempts = 0;
  let openedMs: number | undefined;
  return {
    opened(nowMs) {
      openedMs = nowMs;
    },
    ended(mayTryAgain, nowMs) {
      // A server that takes sessions and drops them at once is not asked at full speed.
      if (openedMs !== undefined && nowMs - openedMs >= stableMs) attempts = 0;
      openedMs = undefined;
      if (!mayTryAgain || attempts >= maxAttempts) return undefined;
      return random() * Math.min(maxMs, firstMs * 2 ** attempts++);
    },
    get attempts() {
      return attempts;
    },
  };
}
