/** Whether a network is given several samples at once. */
export interface BatchTrust {
  /** Whether a batch is worth a try now. */
  isGiven(): boolean;
  /** A batch has run. */
  confirm(): void;
  /** A batch has failed, and each of its samples has run alone. */
  withdraw(samples: number, reason: string): void;
}

export interface BatchTrustOptions {
  /** Milliseconds on any clock that only goes forward. */
  readonly now: () => number;
  readonly onLog?: ((line: string) => void) | undefined;
}

/** A passing failure, such as of memory, is over soon; a network that takes no batches at all fails every time. */
const firstPauseMs = 1_000;
const longestPauseMs = 300_000;

/**
 * A network that fails on a batch may be one that says that it takes any and has one for a single sample inside, or have
 * been short of something. It gets its samples one by one for a pause, which doubles with each batch that fails.
 */
export function createBatchTrust({ now, onLog }: BatchTrustOptions): BatchTrust {
  let pauseMs = 0;
  let untilMs = Number.NEGATIVE_INFINITY;
  return {
    isGiven: () => now() >= untilMs,
    confirm() {
      if (pauseMs === 0) return;
      pauseMs = 0;
      onLog?.("batches run again");
    },
    withdraw(samples, reason) {
      pauseMs = pauseMs === 0 ? firstPauseMs : Math.min(2 * pauseMs, longestPauseMs);
      untilMs = now() + pauseMs;
      onLog?.(
        `a batch of ${samples} failed and its samples run alone: one by one for ${pauseMs / 1_000} s (${reason})`,
      );
    },
  };
}
