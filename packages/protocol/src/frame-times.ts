/**
 * What the frames of a stream take at both ends, as the gate expects it (spec 3.3, C and S of condition 6). While it turns frames
 * away for that, it fades: what was true of the last frames must not shut the next ones out for good. Where a frame that was
 * let in for it is late, all of it still holds, and fades more slowly: few frames should be sent in vain.
 */
export interface FrameTimes {
  /** Milliseconds of the client's part of a frame, and of the server's. */
  readonly clientMs: number;
  readonly serverMs: number;
  tookHere(ms: number): void;
  tookThere(ms: number): void;
  /** The gate let a frame in. */
  admitted(nowMs: number): void;
  /** It turned one away for these times. */
  turnedAway(nowMs: number): void;
  /** A frame that was let in has ended. */
  ended(onTime: boolean): void;
}

/** In which half of them is forgotten: the longer, the more often that was in vain. */
const leastHalfLifeMs = 500;
const mostHalfLifeMs = 2_000;

export function createFrameTimes(): FrameTimes {
  let clientMs = 0;
  let serverMs = 0;
  let halfLifeMs = leastHalfLifeMs;
  let judgedMs = Number.NEGATIVE_INFINITY;
  /** What they were before they faded, until a frame has ended. */
  let faded: { readonly clientMs: number; readonly serverMs: number } | undefined;
  return {
    get clientMs() {
      return clientMs;
    },
    get serverMs() {
      return serverMs;
    },
    tookHere(ms) {
      clientMs = smooth(clientMs, ms);
    },
    tookThere(ms) {
      serverMs = smooth(serverMs, ms);
    },
    admitted(nowMs) {
      judgedMs = nowMs;
    },
    turnedAway(nowMs) {
      faded ??= { clientMs, serverMs };
      const left = 0.5 ** ((nowMs - judgedMs) / halfLifeMs);
      clientMs *= left;
      serverMs *= left;
      judgedMs = nowMs;
    },
    ended(onTime) {
      if (onTime) halfLifeMs = leastHalfLifeMs;
      else if (faded) {
        clientMs = Math.max(clientMs, faded.clientMs);
        serverMs = Math.max(serverMs, faded.serverMs);
        halfLifeMs = Math.min(mostHalfLifeMs, 2 * halfLifeMs);
      }
      faded = undefined;
    },
  };
}

/** The first sample as it is, then an eighth of each. */
export function smooth(previous: number, sample: number): number {
  return previous === 0 ? sample : previous + (sample - previous) / 8;
}
