/** From when to when a certificate holds. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** What a server with self-made certificates has to do. */
export type RenewalStep =
  /** Nothing until then, in Unix time in milliseconds. */
  | { readonly type: "wait"; readonly untilMs: number }
  /** Make the next one and publish its hash beside the present one's. */
  | { readonly type: "prepare" }
  /** Give new connections the next one. */
  | { readonly type: "switch" };

/** Shares of the present one's life after which the next one is made, and after which it takes over. */
const PREPARE_AT = 0.6;
const SWITCH_AT = 0.85;

/**
 * The next step. Of 13 days the next certificate is published after 7.8 and used after 11: a client that asked for
 * the hashes in the 3.2 days before the change knows both, and no certificate is used in its last two days.
 */
export function planRenewal(current: Validity, next: Validity | undefined, nowMs: number): RenewalStep {
  const startMs = current.notBefore.getTime();
  const lifeMs = current.notAfter.getTime() - startMs;
  if (next === undefined) {
    const prepareMs = startMs + lifeMs * PREPARE_AT;
    return nowMs < prepareMs ? { type: "wait", untilMs: prepareMs } : { type: "prepare" };
  }
  const switchMs = startMs + lifeMs * SWITCH_AT;
  return nowMs < switchMs ? { type: "wait", untilMs: switchMs } : { type: "switch" };
}
