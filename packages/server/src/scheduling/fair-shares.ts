/**
 * Whose frame is next among sessions that share a machine: eligible ones by deadline. What a session has used beyond its
 * share makes it wait until the others have caught up, so that a flood costs nobody else their deadlines; what is left
 * over goes to whoever has work. The idea is that of "earliest eligible virtual deadline first" (Stoica and Abdel-Wahab,
 * 1995), with the frames' own deadlines and start times as in start-time fair queueing (Goyal, Vin and Cheng, 1997).
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
  /** What those who wait have used at least: rises only, so that nobody saves up shares while it has nothing to do. */
  let virtualMs = 0;
  let latestMs = 0;

  function advance(): void {
    let least = Number.POSITIVE_INFINITY;
    for (const share of active) least = Math.min(least, share.usedMs);
    // With nobody left to be fair to, all start as equals the next time.
    virtualMs = Math.max(virtualMs, active.length === 0 ? latestMs : least);
  }

  return {
    create: () => ({ usedMs: 0, waiting: 0, ahead: 0 }),
    joined(share) {
      if (share.waiting++ > 0) return;
      share.usedMs = Math.max(share.usedMs, virtualMs);
      active.push(share);
    },
    left(share, costMs) {
      share.usedMs += costMs;
      latestMs = Math.max(latestMs, share.usedMs);
      if (--share.waiting === 0) active.splice(active.indexOf(share), 1);
      advance();
    },
    isEligible: (share, allowanceMs) => share.usedMs <= virtualMs + allowanceMs,
  };
}
