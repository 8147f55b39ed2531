/** Looks at the first images of a source that may have one pass only, as standard input has. */
import { mapFrames } from "@sluice/client";
import type { LabelledImage } from "@sluice/inference";

/** A source of which the first images are known. */
export interface PeekedImages {
  readonly first: readonly LabelledImage[];
  /** Begins with the first ones and goes on behind them; each further iteration is one of the source's own. */
  readonly source: AsyncIterable<LabelledImage>;
  /** Lets go of a source that nobody has read on. */
  close(): Promise<void>;
}

/**
 * @param count of the images that are looked at; fewer where the source has no more
 * @throws the signal's reason, and what the source throws
 */
export async function peekImages(
  source: AsyncIterable<LabelledImage>,
  count: number,
  signal?: AbortSignal,
): Promise<PeekedImages> {
  const pass = source[Symbol.asyncIterator]();
  const close = async () => {
    await pass.return?.();
  };
  const first: LabelledImage[] = [];
  // Without `return`, so that leaving the loop does not end the pass.
  const unended = { [Symbol.asyncIterator]: () => ({ next: () => pass.next() }) };
  try {
    for await (const image of mapFrames(unended, (it) => it, signal ? { signal } : {})) {
      first.push(image);
      if (first.length === count) break;
    }
  } catch (error) {
    void close();
    throw error;
  }

  function fromTheFirst(): AsyncIterator<LabelledImage> {
    let at = 0;
    return {
      next: async () => (at < first.length ? { done: false, value: first[at++]! } : pass.next()),
      async return() {
        await close();
        return { done: true, value: undefined };
      },
    };
  }

  let isBegun = false;
  return {
    first,
    source: {
      [Symbol.asyncIterator]() {
        if (isBegun) return source[Symbol.asyncIterator]();
        isBegun = true;
        return fromTheFirst();
      },
    },
    close,
  };
}
