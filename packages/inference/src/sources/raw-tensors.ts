import { bytesPerElement, createTensor, elementCount, type TensorSpec, tensorBytes } from "@sluice/tensor";
import type { ImageSource } from "./labelled-image.js";
import { openOnePass } from "./one-pass.js";

/**
 * A model's inputs one behind the other in a stream of bytes, little-endian, as they are: for networks that take no
 * pictures. There is one pass; a second one finds nothing.
 * @param spec of each
 * @throws ModelError while iterating: `unreadable` where the stream ends within a tensor
 */
export function openRawTensors(bytes: AsyncIterable<Uint8Array>, spec: TensorSpec): ImageSource {
  const { dtype, shape, layout } = spec;
  return openOnePass(bytes, elementCount(shape) * bytesPerElement[dtype], (piece) => {
    const image = createTensor(dtype, shape, undefined, layout);
    tensorBytes(image).set(piece);
    return { image, pixels: undefined, label: undefined };
  });
}
