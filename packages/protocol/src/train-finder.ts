/** Finds trains: datagrams that left together and arrived one after the other, over as many reports as it takes. */
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
}

/** A train that has arrived. */
export interface Train {
  /**
   * Bytes that came after the first clump, and the time from that clump to the last; 0 and 0 for one clump alone. The
   * last clump is left out where the rate is higher without it: the train may have ended long before it was handed over.
   */
  readonly bytes: number;
  readonly spreadMs: number;
  /** Bytes of all datagrams but the first. */
  readonly totalBytes: number;
}

/** Datagrams that left within so many milliseconds of each other form a train: faster than any path of interest. */
const trainGapMs = 0.3;
/** Fewer datagrams say more about jitter than about the path. */
const minTrainLength = 3;
/**
 * What arrives within so many milliseconds is a clump: timers and threads on the way hand over at once what came in the
 * time before. When the first clump began is not known, so its bytes do not count.
 */
const clumpMs = 0.3;

export function createTrainFinder(onTrain: (train: Train) => void): TrainFinder {
  let length = 0;
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
      onTrain({ ...counted, totalBytes });
    }
    length = 0;
    last = undefined;
  }

  return {
    add(arrival) {
      const { arrivedMs } = arrival;
      const follows =
        last !== undefined &&
        arrival.sequence === last.sequence + 1 &&
        arrival.sentMs - last.sentMs <= trainGapMs &&
        arrivedMs >= last.arrivedMs;
      if (follows) {
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
        length = 1;
        totalBytes = 0;
        bytes = 0;
        firstClumpMs = arrivedMs;
        lastClumpMs = arrivedMs;
        previousClumpMs = arrivedMs;
        previousBytes = 0;
      }
      last = arrival;
    },
    finish,
  };
}
