import type { ImageSource, LabelledImage } from "./labelled-image.js";

/** The first few of a source again and again: making random tensors costs more than sending them. */
export function repeatFirst(source: ImageSource, variety = 8): ImageSource {
  let made: readonly LabelledImage[] = [];
  return {
    count: Number.POSITIVE_INFINITY,
    async *[Symbol.asyncIterator]() {
      if (made.length === 0) {
        const first: LabelledImage[] = [];
        for await (const image of source) {
          first.push(image);
          if (first.length === variety) break;
        }
        made = first;
      }
      for (let i = 0; ; i++) yield made[i % made.length]!;
    },
  };
}
