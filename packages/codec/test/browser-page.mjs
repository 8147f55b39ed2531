// Runs in a page: encodes and decodes a tensor by a chain. The libraries' scripts have defined their globals.
import { prepareCodec } from "@sluice/codec";
import { createTensor } from "@sluice/tensor";

const factories = {
  jpeg: globalThis.libjpegturbowasm,
  jpeg2000: globalThis.OpenJPEGWASM,
  htj2k: globalThis.Module,
};

/** @returns {Promise<{ payloads: number[][], elements: number[] }>} */
export async function runChain(text, shape, values) {
  const located = [];
  const codec = await prepareCodec(text, {
    factory: (name) => factories[name],
    locate(file) {
      located.push(file);
      return `/libraries/${file}`;
    },
  });
  const tensor = createTensor("float32", shape, Float32Array.from(values));
  const { slices } = codec.createEncoder(tensor).encode(tensor, 1_150);
  const partial = codec.createDecoder(tensor).begin();
  for (const { index, count, payload } of slices) partial.add(index, count, payload);
  const { tensor: decoded } = partial.finish();
  return {
    located,
    payloads: slices.map(({ payload }) => [...payload]),
    elements: [...decoded.data],
  };
}
