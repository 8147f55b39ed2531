/**
 * Who may use the thread that reads what clients send. Reading a datagram is cheap, and yet a client can send more of them
 * than one thread reads: then they wait, and everybody's with them. While the thread has little time to spare, a session that has used
 * more than its share of it loses what it sends, unread, as datagrams may be lost on the network.
 */
export interface ReadingShares {
  open(): ReadingShare;
}

export interface ReadingShare {
  /** Whether what it has sent is to be read now. */
  mayRead(nowMs: number): boolean;
  /** Reading it has taken so long. */
  hasRead(ms: number, nowMs: number): void;
  close(): void;
}

/** Time constant of the shares of time. */
const memoryMs = 200;
/** What all may use together before anything is lost, of the thread's time. */
const givenOut = 0.6;
/** Who uses less does not count among those who share. */
const idleBelow = 0.005;

interface Usage {
  /** Share of the time, when it was last looked at. */
  share: number;
  atMs: number;
}

export function createReadingShares(): ReadingShares {
  const usages = new Set<Usage>();
  const all: Usage = { share: 0, atMs: 0 };

  function usedBy(usage: Usage, nowMs: number): number {
    usage.share *= Math.exp(Math.min(0, usage.atMs - nowMs) / memoryMs);
    usage.atMs = nowMs;
    return usage.share;
  }

  function countActive(nowMs: number): number {
    let active = 0;
    for (const usage of usages) if (usedBy(usage, nowMs) > idleBelow) active++;
    return active;
  }

  return {
    open() {
      const own: Usage = { share: 0, atMs: 0 };
      usages.add(own);
      return {
        mayRead(nowMs) {
          if (usedBy(all, nowMs) <= givenOut) return true;
          return usedBy(own, nowMs) <= givenOut / Math.max(1, countActive(nowMs));
        },
        hasRead(ms, nowMs) {
          for (const usage of [own, all]) usage.share = usedBy(usage, nowMs) + ms / memoryMs;
        },
        close: () => usages.delete(own),
      };
    },
  };
}
