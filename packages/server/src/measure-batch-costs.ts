import type { BatchCost } from "./scheduling/cost-curve.js";

export interface MeasureOptions {
  /** The largest batch to try. */
  readonly maxFrames: number;
  /** No larger batch is begun after so long. Default 1,000. */
  readonly budgetMs?: number;
  readonly now: () => number;
}

/** Runs of each size; the quickest counts, for what disturbs a run only makes it slower. */
const runsOfEach = 8;
/** A size that makes a frame dearer than the best one by more than this is the last. */
const tolerance = 1.1;

/**
 * Runs a network on batches of 1, 2, 4, ... frames and takes the time, which also warms it up. It ends early at a size that
 * would take too long, or that makes a frame clearly dearer than a smaller one: a larger one is no use then.
 * @param run runs so many frames that stand for the real ones
 */
export async function measureBatchCosts(
  run: (frames: number) => Promise<unknown>,
  { maxFrames, budgetMs = 1_000, now }: MeasureOptions,
): Promise<BatchCost[]> {
  const endMs = now() + budgetMs;
  const costs: BatchCost[] = [];
  for (let frames = 1; frames <= maxFrames; frames *= 2) {
    // The first run of a size allocates and compiles.
    await run(frames);
    const times: number[] = [];
    for (let i = 0; i < runsOfEach && (i === 0 || now() < endMs); i++) {
      const startMs = now();
      await run(frames);
      times.push(now() - startMs);
    }
    const ms = Math.min(...times);
    costs.push({ frames, ms });
    const best = Math.min(...costs.map((cost) => cost.ms / cost.frames));
    if (ms / frames > tolerance * best) break;
    // Twice the frames take up to twice as long, each size several times.
    if (now() + 2 * ms > endMs) break;
  }
  return costs;
}
