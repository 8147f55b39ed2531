/**
 * Who sends next where several want to: start-time fair queueing (Goyal, Vin and Cheng, 1997). Each one's turn comes at
 * a virtual time; what it sends moves its next turn on by bytes / weight. So each gets its share of the bytes, whoever
 * comes back after a pause is served at once, and nobody saves up turns while it has nothing to send.
 */
export interface Turn {
  /** Above 0. The share of the bytes is in proportion to it. */
  readonly weight: number;
  /** When its next turn is, in bytes of weight 1. Kept by {@link FairTurns}; 0 at the start. */
  turnAt: number;
}

export interface FairTurns<T extends Turn> {
  /** It has something to send and had nothing. */
  join(turn: T): void;
  /** It has nothing to send any more and did not send the last of it. */
  leave(turn: T): void;
  /** It has sent so many bytes, and has more to send or not. */
  served(turn: T, bytes: number, hasMore: boolean): void;
  /** Those that wait, whose turn is first at 0; of one time the heaviest goes first. */
  at(index: number): T | undefined;
  readonly size: number;
}

export function createFairTurns<T extends Turn>(): FairTurns<T> {
  // In order. Sessions have dozens of streams: moving an array's end is quicker than a tree.
  const waiting: T[] = [];
  let virtualTime = 0;
  let latestEnd = 0;

  function isBefore(a: Turn, b: Turn): boolean {
    return a.turnAt < b.turnAt || (a.turnAt === b.turnAt && a.weight > b.weight);
  }

  function insert(turn: T): void {
    let low = 0;
    let high = waiting.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBefore(turn, waiting[middle]!)) high = middle;
      else low = middle + 1;
    }
    waiting.splice(low, 0, turn);
  }

  function remove(turn: T): void {
    const index = waiting.indexOf(turn);
    if (index >= 0) waiting.splice(index, 1);
  }

  return {
    join(turn) {
      turn.turnAt = Math.max(turn.turnAt, virtualTime);
      insert(turn);
    },
    leave: remove,
    served(turn, bytes, hasMore) {
      virtualTime = Math.max(virtualTime, waiting[0]!.turnAt);
      remove(turn);
      turn.turnAt += bytes / turn.weight;
      latestEnd = Math.max(latestEnd, turn.turnAt);
      if (hasMore) insert(turn);
      // With nobody left to be fair to, all start as equals the next time.
      else if (waiting.length === 0) virtualTime = latestEnd;
    },
    at: (index) => waiting[index],
    get size() {
      return waiting.length;
    },
  };
}
