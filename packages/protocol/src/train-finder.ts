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

/** Datagrams that left within so many milliseconds of each other form a train: faster than any path of interest. */
const trainGapMs = 0.3;
/** Fewer datagrams say more about jitter than about the path. */
const minTrainLength = 3;

/** `onTrain`: bytes of all but the first datagram, and the time from the first arrival to the last. */
export function createTrainFinder(onTrain: (bytes: number, spreadMs: number) => void): TrainFinder {
  let length = 0;
  let bytes = 0;
  let startedMs = 0;
  let last: TrainArrival | undefined;

  function finish(): void {
    if (last && length >= minTrainLength) onTrain(bytes, last.arrivedMs - startedMs);
    length = 0;
    last = undefined;
  }

  return {
    add(arrival) {
      const follows =
        last !== undefined &&
        arrival.sequence === last.sequence + 1 &&
        arrival.sentMs - last.sentMs <= trainGapMs &&
        arrival.arrivedMs >= last.arrivedMs;
      if (follows) {
        length++;
        bytes += arrival.bytes;
      } else {
        finish();
        length = 1;
        bytes = 0;
        startedMs = arrival.arrivedMs;
      }
      last = arrival;
    },
    finish,
  };
}
