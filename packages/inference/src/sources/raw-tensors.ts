import { createTensor, type TensorSpec, tensorBytes } from "@sluice/tensor";
import { createByteReader } from "./byte-reader.js";
import type { ImageSource } from "./labelled-image.js";

/**
 * A model's inputs one behind the other in a stream of bytes, little-endian, as they are: for networks that take no
 * pictures. There is one pass; a second one finds nothing.
 * @param spec of each
 * @throws ModelError while iterating: `unreadable` where the stream ends within a tensor
 */
export function openRawTensors(bytes: AsyncIterable<Uint8Array>, spec: TensorSpec): ImageSource {
  let isRead = false;
  return {
    count: undefined,
    async *[Symbol.asyncIterator]() {
      if (isRead) return;
      isRead = true;
      const reader = createByteReader(bytes, "stdin");
      try {
        for (let index = 0; ; index++) {
          const image = createTensor(spec.dtype, spec.shape, undefined, spec.layout);
          const target = tensorBytes(image);
          const data = await reader.read(target.length);
          if (!data) return;
          target.set(data);
          yield { name: `stdin#${index}`, image, pixels: undefined, label: undefined };
        }
      } finally {
        await reader.close();
      }
    },
  };
}
