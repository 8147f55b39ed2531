/** When a request is tried again: before its deadline, and only where the failed try did nothing. */

/** How a try failed. */
export type FailedTry =
  | { readonly kind: "no-connection" }
  | { readonly kind: "status"; readonly status: number; readonly retryAfterSeconds?: number };

/** Bounds of trying again. */
export interface RetryLimits {
  /** Tries after the first one. */
  readonly maxRetries: number;
  /** The wait before the first of them; doubled for each further one, with a random part of as much again. */
  readonly baseDelayMs: number;
}

/** Inference changes nothing at the server, so that a try whose connection broke may be repeated, too. */
function isTransient(failure: FailedTry): boolean {
  if (failure.kind === "no-connection") return true;
  return [429, 502, 503, 504].includes(failure.status);
}

/**
 * How long to wait before the next try.
 * @param tries made so far, at least 1
 * @param leftMs until the deadline
 * @param random 0..1
 * @returns undefined: give up
 */
export function planRetry(
  failure: FailedTry,
  tries: number,
  leftMs: number,
  random: number,
  { maxRetries, baseDelayMs }: RetryLimits,
): number | undefined {
  if (tries > maxRetries || !isTransient(failure)) return undefined;
  const backoff = baseDelayMs * 2 ** (tries - 1) * (1 + random);
  const asked = failure.kind === "status" ? (failure.retryAfterSeconds ?? 0) * 1000 : 0;
  const delay = Math.max(backoff, asked);
  // A try that begins at the deadline is of no use.
  return delay < leftMs ? delay : undefined;
}
