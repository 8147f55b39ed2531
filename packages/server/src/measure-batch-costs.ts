import type { BatchCost } from "./scheduling/cost-curve.js";

export interface MeasureOptions {
  /** The largest batch to try. */
  readonly maxFrames: number;
  /** No larger batch is begun after so long. Default 1,000. */
  readonly budgetMs?: number;
  readonly now: () => number;
}

/** Runs of each size; the median counts. */
const runsOfEach = 5;

/**
 * Runs a network on batches of 1, 2, 4, ... frames and takes the time, which also warms it up. It ends early at a size that
 * would take too long, or that makes a frame dearer than the size before: a larger one is no use then.
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
    times.sort((a, b) => a - b);
    const ms = times[times.length >> 1]!;
    const before = costs.at(-1);
    if (before && ms / frames > before.ms / before.frames) break;
    costs.push({ frames, ms });
    // Twice the frames take up to twice as long, each size several times.
    if (now() + 2 * ms > endMs) break;
  }
  return costs;
}
