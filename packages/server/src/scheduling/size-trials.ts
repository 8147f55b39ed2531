/**
 * Finds out from the batches that really run whether another size would make a frame cheaper. What was measured when the network
 * was loaded may be wrong: the machine may have been busy then with something that is over.
 */

/** What a trial has shown: a frame of a batch of `frames` costs at most so many times what one of the present size costs. */
export interface Verdict {
  readonly frames: number;
  readonly costRatio: number;
}

export interface SizeTrials {
  /** Frames that the next batch should have, of at least one that waits: the present size, or the one on trial. */
  next(waiting: number, present: number): number;
  /** A batch has run. Returns what a trial has shown once it is over. */
  observe(frames: number, ms: number): Verdict | undefined;
  /** The size has been changed, or kept, after a verdict. */
  settle(isChanged: boolean): void;
}

/**
 * One full batch of so many has the size on trial, and the one before it is its counterpart: a moment in which the machine is
 * slow has a few of them at most, for it lets few batches through.
 */
const batchesPerPair = 8;
const pairs = 16;
/** Of the sorted times, those that are compared: what disturbs a run only makes it slower, but each may have met that by chance. */
const comparedRanks = [0, (pairs - 1) >> 2, (pairs - 1) >> 1];
/** Full batches from a trial that changed nothing to the next one: more after each, up to the most. */
const leastPause = 64;
const mostPause = 8_192;

/** `maxFrames`: the most frames of one run. */
export function createSizeTrials(maxFrames: number): SizeTrials {
  const present: number[] = [];
  const other: number[] = [];
  let isUp = true;
  let presentFrames = 1;
  /** Milliseconds of the last batch of the present size, until it has a counterpart. */
  let latestMs: number | undefined;
  /** One on trial has begun, and what came of it is not known yet. */
  let isUnderWay = false;
  /** Full batches until the next one on trial. */
  let wait = batchesPerPair;
  let pause = leastPause;

  const sizeOnTrial = () => (isUp ? Math.min(2 * presentFrames, maxFrames) : Math.max(1, presentFrames >> 1));

  function begin(): void {
    present.length = 0;
    other.length = 0;
    latestMs = undefined;
    isUnderWay = false;
  }

  return {
    next(waiting, frames) {
      if (frames !== presentFrames) begin();
      presentFrames = frames;
      // One that nothing could be found out about has its turn as well.
      if (sizeOnTrial() === frames) isUp = !isUp;
      const size = sizeOnTrial();
      // Both sizes are measured under the same load: when either would be full.
      if (size === frames || waiting < Math.max(size, frames) || --wait > 0) return frames;
      wait = batchesPerPair;
      isUnderWay = true;
      return size;
    },
    observe(frames, ms) {
      if (frames === presentFrames) latestMs = ms;
      else if (isUnderWay && frames === sizeOnTrial()) {
        isUnderWay = false;
        if (latestMs === undefined) return undefined;
        present.push(latestMs / presentFrames);
        other.push(ms / frames);
        latestMs = undefined;
      }
      if (other.length < pairs) return undefined;
      const costRatio = compare(other, present);
      begin();
      return Number.isFinite(costRatio) ? { frames, costRatio } : undefined;
    },
    settle(isChanged) {
      pause = isChanged ? leastPause : Math.min(2 * pause, mostPause);
      wait = isChanged ? batchesPerPair : pause;
      if (!isChanged) isUp = !isUp;
    },
  };
}

/** The ratio that least favours the first. */
function compare(some: readonly number[], others: readonly number[]): number {
  const [a, b] = [some.toSorted((x, y) => x - y), others.toSorted((x, y) => x - y)];
  return Math.max(...comparedRanks.map((rank) => a[rank]! / b[rank]!));
}
