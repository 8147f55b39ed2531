import { createByteReader } from "./byte-reader.js";
import type { ImageSource, LabelledImage } from "./labelled-image.js";

/**
 * A source of pieces of one size, one behind the other in a stream of bytes. There is one pass; a second one finds nothing.
 * @param prepare makes an image of a piece, whose bytes it may keep
 * @throws ModelError while iterating: `unreadable` where the stream ends within a piece
 */
export function openOnePass(
  bytes: AsyncIterable<Uint8Array>,
  pieceBytes: number,
  prepare: (
    piece: Uint8Array,
    name: string,
  ) => Omit<LabelledImage, "name"> | Promise<Omit<LabelledImage, "name">>,
): ImageSource {
  let isRead = false;

  async function* images(): AsyncGenerator<LabelledImage, void, undefined> {
    if (isRead) return;
    isRead = true;
    const reader = createByteReader(bytes, "stdin");
    try {
      for (let index = 0; ; index++) {
        const piece = await reader.read(pieceBytes);
        if (!piece) return;
        const name = `stdin#${index}`;
        yield { name, ...(await prepare(piece, name)) };
      }
    } finally {
      await reader.close();
    }
  }

  return {
    count: undefined,
    [Symbol.asyncIterator]() {
      const pass = images();
      return {
        next: () => pass.next(),
        return() {
          // Who leaves while nothing comes would wait for the next bytes, and so would the process.
          if (isDestroyable(bytes)) bytes.destroy();
          return pass.return();
        },
      };
    },
  };
}

/** As the streams of Node are. */
function isDestroyable(bytes: object): bytes is { destroy(): unknown } {
  return "destroy" in bytes && typeof bytes.destroy === "function";
}
