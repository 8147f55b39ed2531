/**
 * Who may use a thread that works on what peers send. Each piece of work is cheap, and yet a peer can send more of it than
 * one thread does: then it waits, and everybody's with it. While the thread has little time to spare, a session that has used
 * more than its share of it loses what it sends, as packets may be lost on the network.
 */
export interface TimeShares {
  open(): TimeShare;
}

/** One session's. */
export interface TimeShare {
  /** Whether what it has sent is to be worked on now. */
  mayUse(nowMs: number): boolean;
  /** Working on it has taken so long. */
  hasUsed(ms: number, nowMs: number): void;
  close(): void;
}

/** Time constant of the shares of time. */
const memoryMs = 200;
/** What all may use together before anything is lost, of the thread's time. */
const givenOut = 0.6;
/** Who uses less does not count among those who share. */
const idleBelow = 0.005;
/** How many share is counted no more often: there may be thousands. */
const countIntervalMs = 5;

interface Usage {
  /** Share of the time, when it was last looked at. */
  share: number;
  atMs: number;
}

export function createTimeShares(): TimeShares {
  const usages = new Set<Usage>();
  const all: Usage = { share: 0, atMs: 0 };
  let active = 1;
  let countedAtMs = Number.NEGATIVE_INFINITY;

  function usedBy(usage: Usage, nowMs: number): number {
    usage.share *= Math.exp(Math.min(0, usage.atMs - nowMs) / memoryMs);
    usage.atMs = nowMs;
    return usage.share;
  }

  function countActive(nowMs: number): number {
    if (nowMs - countedAtMs < countIntervalMs) return active;
    countedAtMs = nowMs;
    active = 0;
    for (const usage of usages) if (usedBy(usage, nowMs) > idleBelow) active++;
    return active;
  }

  return {
    open() {
      const own: Usage = { share: 0, atMs: 0 };
      usages.add(own);
      return {
        mayUse(nowMs) {
          // Where there is nobody else, nobody waits for it.
          if (usages.size <= 1 || usedBy(all, nowMs) <= givenOut) return true;
          return usedBy(own, nowMs) <= givenOut / Math.max(1, countActive(nowMs));
        },
        hasUsed(ms, nowMs) {
          for (const usage of [own, all]) usage.share = usedBy(usage, nowMs) + ms / memoryMs;
        },
        close: () => usages.delete(own),
      };
    },
  };
}
