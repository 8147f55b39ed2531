/**
 * What the datagrams of frames lately came at, one behind the other. Frames of two datagrams measure no bandwidth, but show
 * that a path has become a narrow one.
 */
export interface ArrivalRate {
  /** @param spanMs from a frame's first datagram to its last */
  add(bytes: number, spanMs: number, nowMs: number): void;
  /** In bits per second; Infinity where they came together, `undefined` where none was seen. */
  bitsPerSecond(nowMs: number): number | undefined;
}

/** Datagrams that are so far apart were not kept apart by timers. */
const apartMs = 5;
/** The first one's bytes came before. */
const datagramBytes = 1_200;
/** Of so many frames the median, of so long. */
const frames = 5;
const windowMs = 2_000;

export function createArrivalRate(): ArrivalRate {
  let seen: { readonly bitsPerSecond: number; readonly atMs: number }[] = [];
  return {
    add(bytes, spanMs, nowMs) {
      if (bytes <= datagramBytes) return;
      const bitsPerSecond =
        spanMs < apartMs ? Number.POSITIVE_INFINITY : ((bytes - datagramBytes) * 8_000) / spanMs;
      seen = [...seen, { bitsPerSecond, atMs: nowMs }].slice(-frames);
    },
    bitsPerSecond(nowMs) {
      const rates = seen.filter(({ atMs }) => nowMs - atMs < windowMs).map((each) => each.bitsPerSecond);
      return rates.sort((a, b) => a - b)[rates.length >> 1];
    },
  };
}
