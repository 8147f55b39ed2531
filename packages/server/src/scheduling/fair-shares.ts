/**
 * What sessions that share a machine have used of it. Who has used least has the next turn (start-time fair queueing: Goyal, Vin
 * and Cheng, 1997). Where deadlines decide, what a session has used beyond its share makes it wait until the others have
 * caught up, so that a flood costs nobody else their deadlines (as in "earliest eligible virtual deadline first": Stoica
 * and Abdel-Wahab, 1995); what is left over goes to whoever has work.
 */

/** One session's account. */
export interface Share {
  /** What it has used, in milliseconds of virtual time. Kept by {@link FairShares}. */
  usedMs: number;
  /** Its frames that wait. Kept by {@link FairShares}. */
  waiting: number;
  /** While they are counted: those before another frame. Zero otherwise. */
  ahead: number;
}

export interface FairShares {
  create(): Share;
  /** A frame of it waits. */
  joined(share: Share): void;
  /** A frame of it waits no more: it runs and costs so much, or was given up at no cost. */
  left(share: Share, costMs: number): void;
  /** Whether it has used no more than its share, give or take `allowanceMs`. */
  isEligible(share: Share, allowanceMs: number): boolean;
}

export function createFairShares(): FairShares {
  // Those with frames that wait: a handful, or the queue's bound.
  const active: Share[] = [];
  /**
   * What those who waited had used at least when the latest frame began: rises only, so that nobody saves up shares while it has
   * nothing to do. Who comes while only one other has frames is before all of them but what has begun.
   */
  let virtualMs = 0;

  function advance(): void {
    let least = Number.POSITIVE_INFINITY;
    for (const share of active) least = Math.min(least, share.usedMs);
    virtualMs = Math.max(virtualMs, least);
  }

  return {
    create: () => ({ usedMs: 0, waiting: 0, ahead: 0 }),
    joined(share) {
      if (share.waiting++ > 0) return;
      share.usedMs = Math.max(share.usedMs, virtualMs);
      active.push(share);
    },
    left(share, costMs) {
      advance();
      share.usedMs += costMs;
      if (--share.waiting === 0) active.splice(active.indexOf(share), 1);
    },
    isEligible: (share, allowanceMs) => share.usedMs <= virtualMs + allowanceMs,
  };
}
