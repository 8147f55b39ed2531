/** How long a network takes for a batch, as a function of its size. */
import { createSizeTrials, type Verdict } from "./size-trials.js";

/** A measurement: so many frames at once take so long. */
export interface BatchCost {
  readonly frames: number;
  readonly ms: number;
}

export interface CostCurve {
  /** Expected duration of a batch of so many frames, in milliseconds; 0 while nothing is known. */
  msOf(frames: number): number;
  /** A batch has run. */
  observe(frames: number, ms: number): void;
  /**
   * A frame was shed because of what is expected. One slow run must not shut the door for good, nor for long where frames
   * are rare.
   * @param idleMs since the last run or the last such frame
   */
  forget(idleMs: number): void;
  /** Frames that a batch should have: more of them raise the throughput no further. 1 where batching does not help. */
  readonly usefulFrames: number;
  /** Frames that the next batch may have, of so many that wait: now and then another number, to see whether it is cheaper. */
  nextFrames(waiting: number): number;
}

/** Weight of a new run in the live estimate. */
const gain = 1 / 8;
/** What a frame that is shed leaves of what is expected: the less, the rarer they are. */
const mostLeft = 0.95;
const leastLeft = 0.1;
const halfLifeMs = 400;
/**
 * A larger batch is useful when it makes a frame cheaper by more than this share. Handing a batch to the network's thread and
 * taking its outputs costs the server's own thread time as well, which is measured nowhere and shared by the frames.
 */
const worthwhileSaving = 0.02;

/**
 * The curve's shape is measured when a network is loaded, before the first frame; runs then tell how much slower or faster
 * than that the machine is now, which holds for all sizes alike, and trials among them which size is the best.
 * @param measured by size, rising; without it batches have one frame, and the first run is the measurement
 */
export function createCostCurve(measured: readonly BatchCost[], maxFrames: number): CostCurve {
  let points = measured.filter(({ frames, ms }) => frames >= 1 && frames <= maxFrames && ms > 0);
  let usefulFrames = findUsefulFrames(points);
  const trials = points.length > 0 ? createSizeTrials(maxFrames) : undefined;
  let pace = 1;

  function handleTrial({ frames, costRatio }: Verdict): void {
    // The larger of both has to be worth it.
    const isBetter = frames > usefulFrames ? costRatio < 1 - worthwhileSaving : costRatio <= 1;
    trials!.settle(isBetter);
    if (!isBetter) return;
    const ms = (shapeAt(points, usefulFrames) / usefulFrames) * costRatio * frames;
    points = [...points.filter((point) => point.frames !== frames), { frames, ms }];
    points.sort((a, b) => a.frames - b.frames);
    usefulFrames = frames;
  }

  return {
    msOf: (frames) => shapeAt(points, frames) * pace,
    observe(frames, ms) {
      if (points.length === 0) {
        if (ms > 0) points.push({ frames: 1, ms: ms / frames });
        return;
      }
      pace += (ms / shapeAt(points, frames) - pace) * gain;
      const verdict = trials?.observe(frames, ms);
      if (verdict) handleTrial(verdict);
    },
    forget(idleMs) {
      pace *= Math.min(mostLeft, Math.max(leastLeft, 0.5 ** (idleMs / halfLifeMs)));
    },
    get usefulFrames() {
      return usefulFrames;
    },
    nextFrames: (waiting) => trials?.next(waiting, usefulFrames) ?? usefulFrames,
  };
}

/** The smallest measured size that no larger one beats by a worthwhile saving. */
function findUsefulFrames(points: readonly BatchCost[]): number {
  const perFrame = points.map(({ frames, ms }) => ms / frames);
  const best = Math.min(...perFrame);
  return points.find((_, i) => perFrame[i]! * (1 - worthwhileSaving) <= best)?.frames ?? 1;
}

/** Straight lines between the measured sizes; beyond the last one each frame costs what it costs there. */
function shapeAt(points: readonly BatchCost[], frames: number): number {
  const above = points.findIndex((point) => point.frames >= frames);
  if (above === 0) return (points[0]!.ms * frames) / points[0]!.frames;
  const last = points.at(-1);
  if (above < 0) return last ? (last.ms * frames) / last.frames : 0;
  const [low, high] = [points[above - 1]!, points[above]!];
  const share = (frames - low.frames) / (high.frames - low.frames);
  return low.ms + share * (high.ms - low.ms);
}
