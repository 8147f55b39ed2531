/** Why somebody was not served. */
export const refusalReasons = [
  /** All of `maxConnections` are taken. */
  "server-full",
  /** The source has all of its `maxConnectionsPerSource`. */
  "source-full",
  /** The source opens connections faster than `newConnectionsPerSource`. */
  "source-rate",
  /** A Retry token that is forged, foreign, expired or used. */
  "bad-token",
  /** No session was open in time. */
  "handshake-timeout",
  /** Another path than the server's. */
  "not-found",
  /** The page's origin is not allowed. */
  "origin",
  /** `authorize` said no. */
  "unauthorized",
  /** `authorize` threw, or gave no status. */
  "authorize-failed",
  /** `authorize` did not answer in time. */
  "authorize-timeout",
] as const;

export type RefusalReason = (typeof refusalReasons)[number];

/** How often each reason came up since the start. */
export type RefusalCounts = Readonly<Record<RefusalReason, number>>;

/** Counts refusals. */
export class Refusals {
  readonly #counts = Object.fromEntries(refusalReasons.map((reason) => [reason, 0])) as Record<
    RefusalReason,
    number
  >;

  add(reason: RefusalReason, count = 1): void {
    this.#counts[reason] += count;
  }

  addAll(counts: RefusalCounts): void {
    for (const reason of refusalReasons) this.#counts[reason] += counts[reason];
  }

  counts(): RefusalCounts {
    return { ...this.#counts };
  }
}
