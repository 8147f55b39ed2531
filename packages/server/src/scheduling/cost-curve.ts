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
  /**
   * Frames that the next batch may have, of so many that wait: fewer than are useful, and nearly as cheap, where fewer wait; now and
   * then another number, to see whether it is cheaper.
   */
  nextFrames(waiting: number): number;
}

/** Weight of a new run in the live estimate. */
const gain = 1 / 8;
/** What a frame that is shed leaves of what is expected: the less, the rarer they are. */
const mostLeft = 0.95;
const leastLeft = 0.1;
const halfLifeMs = 400;
/** A larger batch is useful when it makes a frame cheaper by more than this share. */
const worthwhileSaving = 0.02;
/**
 * What a batch costs the server's other threads, whatever its size: to hand it over, to take its outputs, and to send what is
 * answered, which leaves in fewer datagrams where more frames end together. No run shows it. On two cores that a small network
 * saturates it was 0.5 ms (AMD EPYC of 2024); where there are more cores it costs less.
 */
const handoverMs = 0.3;
/**
 * What a frame may be dearer by while fewer of them wait than are useful: the shorter the batch at work, the sooner who comes
 * next has its turn.
 */
const affordableCost = 1.15;

/**
 * The curve's shape is measured when a network is loaded, before the first frame; runs then tell how much slower or faster
 * than that the machine is now, which holds for all sizes alike, and trials among them which size is the best.
 * @param measured by size, rising; without it batches have one frame, and the first run is the measurement
 */
export function createCostCurve(measured: readonly BatchCost[], maxFrames: number): CostCurve {
  let points = measured.filter(({ frames, ms }) => frames >= 1 && frames <= maxFrames && ms > 0);
  let usefulFrames = findUsefulFrames(points);
  let affordableFrames = findAffordableFrames(points, usefulFrames);
  const trials = points.length > 0 ? createSizeTrials(maxFrames) : undefined;
  let pace = 1;

  function handleTrial({ frames, costRatio }: Verdict): void {
    const presentMs = shapeAt(points, usefulFrames);
    const ms = (presentMs / usefulFrames) * costRatio * frames;
    const saving = 1 - fullCostMs(frames, ms * pace) / fullCostMs(usefulFrames, presentMs * pace);
    // The larger of both has to be worth it.
    const isBetter = frames > usefulFrames ? saving > worthwhileSaving : saving >= 0;
    trials!.settle(isBetter);
    if (!isBetter) return;
    points = [...points.filter((point) => point.frames !== frames), { frames, ms }];
    points.sort((a, b) => a.frames - b.frames);
    usefulFrames = frames;
    affordableFrames = findAffordableFrames(points, usefulFrames);
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
    nextFrames(waiting) {
      if (waiting < usefulFrames) return affordableFrames;
      return trials?.next(waiting, usefulFrames) ?? usefulFrames;
    },
  };
}

/** What a frame costs in a batch that takes so long, all in all. */
function fullCostMs(frames: number, ms: number): number {
  return (ms + handoverMs) / frames;
}

/** The smallest measured size that no larger one beats by a worthwhile saving. */
function findUsefulFrames(points: readonly BatchCost[]): number {
  const perFrame = points.map(({ frames, ms }) => fullCostMs(frames, ms));
  const best = Math.min(...perFrame);
  return points.find((_, i) => perFrame[i]! * (1 - worthwhileSaving) <= best)?.frames ?? 1;
}

/** The smallest measured size up to the useful one whose frames cost little more. */
function findAffordableFrames(points: readonly BatchCost[], usefulFrames: number): number {
  const mostMs = (affordableCost * shapeAt(points, usefulFrames)) / usefulFrames;
  return points.find(({ frames, ms }) => frames >= usefulFrames || ms / frames <= mostMs)?.frames ?? 1;
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
