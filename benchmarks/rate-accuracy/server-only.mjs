import { preparePixels } from "@sluice/inference";
import { sliceRange } from "@sluice/tensor";
import { openImageCodec } from "./image-codecs.mjs";

function cut(bytes, maxPayloadBytes) {
  const count = Math.ceil(bytes.length / maxPayloadBytes);
  return Array.from({ length: count }, (_, index) => {
    const { first, end } = sliceRange(index, count, bytes.length);
    return { index, count, payload: bytes.subarray(first, end) };
  });
}

/** An image codec with the interface of a tensor codec: the file travels in slices, as a tensor of bytes would. */
export async function openServerOnly(text) {
  const codec = await openImageCodec(text);
  let before;
  let after;
  let shape;
  return {
    text: codec.text,
    async encode(pixels, maxPayloadBytes) {
      const { file, constantBefore, constantAfter } = await codec.encode(pixels);
      const end = file.length - constantAfter;
      shape = pixels.shape;
      before = file.subarray(0, constantBefore);
      after = file.subarray(end);
      return cut(file.subarray(constantBefore, end), maxPayloadBytes);
    },
    async decode(slices) {
      const parts = [before, ...slices.map(({ payload }) => payload), after];
      return { tensor: await codec.decode(Buffer.concat(parts), shape), missingCount: 0 };
    },
  };
}

/** Classifies decoded pixels by the whole network. */
export const classifyPixels = (network, model) => (decoded) =>
  network.whole(decoded.map((pixels) => preparePixels(pixels, model.input, model.preprocess)));
