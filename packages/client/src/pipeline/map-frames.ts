/** One stage as a plain async iterable, for those who put their own together. */
import type { FrameSource } from "./pipeline-api.js";

export interface MapFramesOptions {
  /** Frames that are worked on at once; so many more are asked of the source than were taken. Default 1. */
  readonly concurrency?: number;
  /** Ends the iteration with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Works on frames, several at once, and gives the results in the order of the frames. It asks the source only for what
 * it can work on: whoever takes slowly slows the source down.
 * @throws what the source, `run` or the signal throws
 */
export async function* mapFrames<Frame, Value>(
  source: FrameSource<Frame>,
  run: (frame: Frame, signal: AbortSignal | undefined) => Value | Promise<Value>,
  { concurrency = 1, signal }: MapFramesOptions = {},
): AsyncGenerator<Value, void, undefined> {
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    throw new RangeError(`concurrency must be a whole number from 1, got ${concurrency}`);
  }
  const working: Promise<Value>[] = [];
  for await (const frame of source) {
    signal?.throwIfAborted();
    const value = Promise.resolve(frame).then((input) => run(input, signal));
    // Its error is thrown when its turn has come.
    value.catch(() => {});
    working.push(value);
    if (working.length >= concurrency) yield await working.shift()!;
  }
  while (working.length > 0) {
    signal?.throwIfAborted();
    yield await working.shift()!;
  }
}
