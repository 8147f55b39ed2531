/**
 * How long large results take to come down, one behind the other, from when they were handed over and acknowledged: what could
 * not be in time is not begun, or those in front of it would be late as well, and all would be sent for nothing.
 */
export interface ResultPace {
  /** When another one of so many bytes will have left, if it is begun now. */
  leavesAtMs(bytes: number, nowMs: number): number;
  begin(bytes: number, nowMs: number): void;
  /** One has ended that was begun at `startMs`, acknowledged or given up; `leftBytes` are still on their way. */
  end(ended: EndedResult, leftBytes: number, rttMs: number, nowMs: number): void;
}

export interface EndedResult {
  readonly bytes: number;
  readonly startMs: number;
  /** The client has all of it. */
  readonly isWhole: boolean;
}

export function createResultPace(): ResultPace {
  /** 0 until one has come. */
  let msPerByte = 0;
  let busyUntilMs = Number.NEGATIVE_INFINITY;
  let lastEndMs = Number.NEGATIVE_INFINITY;

  const leavesAtMs = (bytes: number, nowMs: number) => Math.max(busyUntilMs, nowMs) + bytes * msPerByte;

  return {
    leavesAtMs,
    begin(bytes, nowMs) {
      busyUntilMs = leavesAtMs(bytes, nowMs);
    },
    end({ bytes, startMs, isWhole }, leftBytes, rttMs, nowMs) {
      // It had the path for itself since the one before it had ended, or since it began itself.
      const tookMs = Math.max(0, nowMs - Math.max(lastEndMs, startMs + rttMs));
      lastEndMs = nowMs;
      const sample = tookMs / Math.max(1, bytes);
      // One that was given up has shown that the path is at least as slow as that.
      if (!isWhole) msPerByte = Math.max(msPerByte, sample);
      else msPerByte = msPerByte === 0 ? sample : msPerByte + (sample - msPerByte) / 4;
      busyUntilMs = nowMs - rttMs + leftBytes * msPerByte;
    },
  };
}
