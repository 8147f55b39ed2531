import type { Codec } from "./codec.js";
import { type LoadLibraryOptions, loadImageLibraries } from "./image/load-image-library.js";
import { parseCodec } from "./parse-codec.js";

/**
 * Loads what a codec needs before it can make encoders and decoders: the WebAssembly modules of `jpeg`, `jpeg2000` and
 * `htj2k`, each once in a process. Others are ready at once.
 * @throws TensorError as `parseCodec`, or naming the library that cannot be loaded
 */
export async function prepareCodec(codec: string | Codec, options: LoadLibraryOptions = {}): Promise<Codec> {
  const parsed = typeof codec === "string" ? parseCodec(codec) : codec;
  await loadImageLibraries(parsed.libraries ?? [], options);
  return parsed;
}
