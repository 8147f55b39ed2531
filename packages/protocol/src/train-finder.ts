/**
 * Finds trains, over as many reports as it takes: datagrams with consecutive numbers of which each followed the one in
 * front of it so closely that the bottleneck had no pause between them.
 */
export interface TrainFinder {
  /** A datagram arrived; in the order of arrival. */
  add(arrival: TrainArrival): void;
  /** Nothing more is on its way that could belong to the train. */
  finish(): void;
}

export interface TrainArrival {
  readonly sequence: number;
  readonly bytes: number;
  readonly sentMs: number;
  /** On the receiver's clock. */
  readonly arrivedMs: number;
  /** How much longer than the shortest one its way took. */
  readonly queuedMs: number;
}

/** A train that has arrived. */
export interface Train {
  readonly datagrams: number;
  /**
   * Bytes that came after the first clump, and the time from that clump to the last; 0 and 0 for one clump alone. The
   * last clump is left out where the rate is higher without it: the train may have ended long before it was handed over.
   */
  readonly bytes: number;
  readonly spreadMs: number;
  /** Bytes of all datagrams but the first. */
  readonly totalBytes: number;
  /** From when the first one left to when the last one did. */
  readonly sentSpreadMs: number;
}

/** Datagrams that left within so many milliseconds of each other left together: faster than any path of interest. */
const burstGapMs = 0.3;
const minTrainLength = 2;
/**
 * What arrives within so many milliseconds is a clump: timers and threads on the way hand over at once what came in the
 * time before. When the first clump began is not known, so its bytes do not count.
 */
const clumpMs = 0.3;

/** Whether a datagram kept the bottleneck busy after the one in front of it. */
export type Follows = (arrival: TrainArrival, last: TrainArrival) => boolean;

/** It left together with the one in front of it: other traffic had hardly time to come between. */
export const leftTogether: Follows = (arrival, last) => arrival.sentMs - last.sentMs <= burstGapMs;

/** It was at the bottleneck before the one in front of it was through. */
export const keptBusy: Follows = (arrival, last) => arrival.queuedMs >= arrival.arrivedMs - last.arrivedMs;

/** @param mostMs a train that takes longer to arrive is told in pieces: where a queue never drains it has no end */
export function createTrainFinder(
  follows: Follows,
  onTrain: (train: Train) => void,
  mostMs = Number.POSITIVE_INFINITY,
): TrainFinder {
  let length = 0;
  let firstSentMs = 0;
  let totalBytes = 0;
  let bytes = 0;
  let firstClumpMs = 0;
  let lastClumpMs = 0;
  /** As they were before the last clump. */
  let previousClumpMs = 0;
  let previousBytes = 0;
  let last: TrainArrival | undefined;

  function finish(): void {
    if (length >= minTrainLength) {
      const spreadMs = lastClumpMs - firstClumpMs;
      const previousMs = previousClumpMs - firstClumpMs;
      const isFaster = previousMs > 0 && previousBytes * spreadMs > bytes * previousMs;
      const counted = isFaster ? { bytes: previousBytes, spreadMs: previousMs } : { bytes, spreadMs };
      const sentSpreadMs = last!.sentMs - firstSentMs;
      onTrain({ datagrams: length, ...counted, totalBytes, sentSpreadMs });
    }
    length = 0;
    last = undefined;
  }

  function begin({ sentMs, arrivedMs }: TrainArrival): void {
    length = 1;
    totalBytes = 0;
    bytes = 0;
    firstSentMs = sentMs;
    firstClumpMs = arrivedMs;
    lastClumpMs = arrivedMs;
    previousClumpMs = arrivedMs;
    previousBytes = 0;
  }

  return {
    add(arrival) {
      const { arrivedMs } = arrival;
      const isNext =
        last !== undefined && arrival.sequence === last.sequence + 1 && arrivedMs >= last.arrivedMs;
      if (isNext && follows(arrival, last!)) {
        length++;
        totalBytes += arrival.bytes;
        if (arrivedMs - lastClumpMs > clumpMs) {
          previousClumpMs = lastClumpMs;
          previousBytes = bytes;
          lastClumpMs = arrivedMs;
        }
        if (lastClumpMs > firstClumpMs) bytes += arrival.bytes;
      } else {
        finish();
        begin(arrival);
      }
      last = arrival;
      if (arrivedMs - firstClumpMs < mostMs) return;
      finish();
      begin(arrival);
      last = arrival;
    },
    finish,
  };
}
