/** One stage as a plain async iterable, for those who put their own together. */
import type { FrameSource } from "./pipeline-api.js";

export interface MapFramesOptions {
  /** Frames that are worked on at once; so many more are asked of the source than were taken. Default 1. */
  readonly concurrency?: number;
  /** Ends the iteration with the signal's reason, at once: what is under way is not waited for. */
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
  const frames = iterate(source);
  const working: Promise<Value>[] = [];
  let isDone = false;
  try {
    for (;;) {
      const next = await unlessAborted(frames.next(), signal);
      if (next.done) break;
      const value = Promise.resolve(next.value).then((frame) => run(frame, signal));
      // Its error is thrown when its turn has come.
      value.catch(() => {});
      working.push(value);
      if (working.length >= concurrency) yield await unlessAborted(working.shift()!, signal);
    }
    isDone = true;
    while (working.length > 0) yield await unlessAborted(working.shift()!, signal);
  } finally {
    if (!isDone) await close(frames, signal);
  }
}

type Frames<Frame> = AsyncIterator<Frame> | Iterator<Frame>;

function iterate<Frame>(source: FrameSource<Frame>): Frames<Frame> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}

/** A source from which nothing comes ends when it can: whoever aborts does not wait for it. */
async function close(frames: Frames<unknown>, signal: AbortSignal | undefined): Promise<void> {
  const closing = Promise.resolve(frames.return?.());
  if (signal?.aborted) closing.catch(() => {});
  else await closing;
}

/** The work's outcome, or the signal's reason where that comes first; the signal keeps nothing of it afterwards. */
function unlessAborted<T>(work: T | PromiseLike<T>, signal: AbortSignal | undefined): Promise<T> {
  const working = Promise.resolve(work);
  if (!signal) return working;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    working.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
