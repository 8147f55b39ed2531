import type { BatchCost } from "./scheduling/cost-curve.js";

export interface MeasureOptions {
  /** The largest batch to try. */
  readonly maxFrames: number;
  /** No larger batch is begun after so long, the first run of each size left out. Default 1,000. */
  readonly budgetMs?: number;
  readonly now: () => number;
}

/** Runs of each size; the quickest counts, for what disturbs a run only makes it slower. */
const runsOfEach = 8;
/** A size that makes a frame dearer than the best one by more than this is the last. */
const tolerance = 1.1;

/**
 * Runs a network on batches of 1, 2, 4, ... frames and takes the time, which also warms it up. Each size takes turns with the best
 * one before it, so that a moment in which the machine is slow makes both slow. It ends early at a size that would take too
 * long, or that makes a frame clearly dearer than a smaller one: a larger one is no use then.
 * @param run runs so many frames that stand for the real ones
 */
export async function measureBatchCosts(
  run: (frames: number) => Promise<unknown>,
  { maxFrames, budgetMs = 1_000, now }: MeasureOptions,
): Promise<BatchCost[]> {
  let endMs = now() + budgetMs;
  /** The first run of a size allocates and compiles; on a GPU that takes seconds, of which later ones take none. */
  async function warmUp(frames: number): Promise<void> {
    const startMs = now();
    await run(frames);
    endMs += now() - startMs;
  }
  /** The least time of each size, taken in turns. */
  async function timeInTurns(sizes: readonly number[]): Promise<number[]> {
    const least = sizes.map(() => Number.POSITIVE_INFINITY);
    for (let turn = 0; turn < runsOfEach && (turn === 0 || now() < endMs); turn++) {
      for (const [i, frames] of sizes.entries()) {
        const startMs = now();
        await run(frames);
        least[i] = Math.min(least[i]!, now() - startMs);
      }
    }
    return least;
  }

  await warmUp(1);
  let best: BatchCost = { frames: 1, ms: (await timeInTurns([1]))[0]! };
  const costs = [best];
  for (let frames = 2; frames <= maxFrames; frames *= 2) {
    // Twice the frames take up to twice as long, each size several times.
    if (now() + 2 * costs.at(-1)!.ms > endMs) break;
    await warmUp(frames);
    const [bestMs, ownMs] = await timeInTurns([best.frames, frames]);
    // A clock that is too coarse for the best one tells nothing about this one beside it.
    const ms = bestMs! > 0 ? (best.ms * ownMs!) / bestMs! : ownMs!;
    const cost = { frames, ms };
    costs.push(cost);
    if (ms / frames > (tolerance * best.ms) / best.frames) break;
    if (ms / frames < best.ms / best.frames) best = cost;
  }
  return costs;
}
