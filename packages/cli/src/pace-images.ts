/** When which image of a source is offered. */
import { mapFrames } from "@sluice/client";
import type { LabelledImage } from "@sluice/inference";
import { type Clock, createSystemClock } from "@sluice/transport";
import type { PacedImage } from "./stream-api.js";

export interface Pace {
  readonly fps: number;
  /** The most images. Default: no bound. */
  readonly frames: number | undefined;
  /** How long: as many images as are due by then. Where the source is slower than the pace it ends soon after. Default: without end. */
  readonly durationSeconds: number | undefined;
}

/** What is due by the end may be so late: a machine that was busy for a moment takes no frames from a run. */
const lateMs = 1_000;

/**
 * The source's images at a steady rate, whatever becomes of the earlier ones, as a camera gives them; from the first
 * again where the source has ended.
 * @param signal ends it at once, also while nothing comes from the source
 * @throws what the source throws
 */
export async function* paceImages(
  source: AsyncIterable<LabelledImage>,
  { fps, frames = Number.POSITIVE_INFINITY, durationSeconds }: Pace,
  signal: AbortSignal,
  clock: Clock = createSystemClock(globalThis),
): AsyncGenerator<PacedImage, void, undefined> {
  const intervalMs = 1_000 / fps;
  const most = Math.min(frames, durationSeconds === undefined ? frames : Math.round(durationSeconds * fps));
  const ending = new AbortController();
  const end = () => ending.abort();
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  const timer =
    durationSeconds === undefined ? undefined : clock.schedule(durationSeconds * 1_000 + lateMs, end);
  const startMs = clock.now();
  let offered = 0;
  try {
    for await (const image of mapFrames(repeat(source), (it) => it, { signal: ending.signal })) {
      await sleepUntil(startMs + offered * intervalMs, ending.signal, clock);
      if (ending.signal.aborted) return;
      offered++;
      yield { image, offeredSeconds: (clock.now() - startMs) / 1_000 };
      if (offered >= most) return;
    }
  } catch (error) {
    if (!ending.signal.aborted) throw error;
  } finally {
    if (timer !== undefined) clock.cancel(timer);
    signal.removeEventListener("abort", end);
  }
}

/** No generator, for one that waits for the source could not be told to leave it. */
function repeat(source: AsyncIterable<LabelledImage>): AsyncIterable<LabelledImage> {
  return {
    [Symbol.asyncIterator]() {
      let pass = source[Symbol.asyncIterator]();
      let isEmpty = true;
      return {
        async next() {
          for (;;) {
            const next = await pass.next();
            if (next.done && !isEmpty) {
              pass = source[Symbol.asyncIterator]();
              isEmpty = true;
              continue;
            }
            isEmpty = false;
            return next;
          }
        },
        async return() {
          await pass.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

function sleepUntil(atMs: number, signal: AbortSignal, clock: Clock): Promise<void> {
  const delayMs = atMs - clock.now();
  if (delayMs <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clock.cancel(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = clock.schedule(delayMs, done);
    signal.addEventListener("abort", done);
  });
}
