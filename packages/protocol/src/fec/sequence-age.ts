/** Which sequence numbers were sent so long ago that no frame of theirs can still be in time. */
export interface SequenceAge {
  /** A datagram came; every one with a smaller number was sent before this moment. */
  came(sequence: number, nowMs: number): void;
  /** The first sequence number that may be younger than `keepMs`; what is below may be forgotten. */
  oldestAfter(keepMs: number, nowMs: number): number;
  /** When that changes; Infinity: never. */
  nextTimeoutMs(keepMs: number): number;
  clear(): void;
}

/** Arrivals so close to each other grow old together: one mark for each would be a second list of all datagrams. */
const togetherMs = 10;

interface Mark {
  readonly firstMs: number;
  lastMs: number;
  highest: number;
}

export function createSequenceAge(): SequenceAge {
  const marks: Mark[] = [];
  let oldest = 0;
  return {
    came(sequence, nowMs) {
      const mark = marks.at(-1);
      const highest = Math.max(sequence, mark?.highest ?? 0);
      if (mark && nowMs < mark.firstMs + togetherMs) Object.assign(mark, { lastMs: nowMs, highest });
      else marks.push({ firstMs: nowMs, lastMs: nowMs, highest });
    },
    oldestAfter(keepMs, nowMs) {
      for (let mark = marks[0]; mark && mark.lastMs + keepMs <= nowMs; mark = marks[0]) {
        oldest = mark.highest + 1;
        marks.shift();
      }
      return oldest;
    },
    nextTimeoutMs: (keepMs) => (marks[0] ? marks[0].lastMs + keepMs : Number.POSITIVE_INFINITY),
    clear() {
      marks.length = 0;
      oldest = 0;
    },
  };
}
