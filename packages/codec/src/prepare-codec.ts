import type { Codec } from "./codec.js";
import type { LoadLibraryOptions } from "./image/load-image-library.js";
import { loadStage } from "./load-stage.js";
import { readCodec, splitCodecText } from "./read-codec.js";

/**
 * Loads what a codec needs before it can make encoders and decoders: its stages, and the WebAssembly modules of `jpeg`, `jpeg2000` and
 * `htj2k`, each once in a process. Others are ready at once.
 * @throws TensorError as `parseCodec`, or naming the library that cannot be loaded
 */
export async function prepareCodec(codec: string | Codec, options: LoadLibraryOptions = {}): Promise<Codec> {
  const parsed = typeof codec === "string" ? await loadCodec(codec) : codec;
  const { libraries = [] } = parsed;
  if (libraries.length > 0) {
    await (await import("./image/load-image-library.js")).loadImageLibraries(libraries, options);
  }
  return parsed;
}

async function loadCodec(text: string): Promise<Codec> {
  const named = splitCodecText(text);
  return readCodec(named, await Promise.all(named.map(({ name }) => loadStage(name))), {});
}
