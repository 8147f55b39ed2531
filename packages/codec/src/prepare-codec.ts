import type { Codec } from "./codec.js";
import type { LoadLibraryOptions } from "./image/load-image-library.js";
import { loadStage } from "./load-stage.js";
import { readCodec, splitCodecText } from "./read-codec.js";

export interface PrepareOptions extends LoadLibraryOptions {
  /** Whether a stream's tensors may be bundles (spec 6.14), whose code a page can leave out. Default true. */
  readonly isBundle?: boolean;
}

/**
 * Loads what a codec needs before it can make encoders and decoders: its stages, and the WebAssembly modules of `jpeg`, `jpeg2000` and
 * `htj2k`, each once in a process. Others are ready at once.
 * @throws TensorError as `parseCodec`, or naming the library that cannot be loaded
 */
export async function prepareCodec(
  codec: string | Codec,
  { isBundle = true, ...options }: PrepareOptions = {},
): Promise<Codec> {
  const parsed = typeof codec === "string" ? await loadCodec(codec, isBundle) : codec;
  const { libraries = [] } = parsed;
  if (libraries.length > 0) {
    await (await import("./image/load-image-library.js")).loadImageLibraries(libraries, options);
  }
  return parsed;
}

async function loadCodec(text: string, isBundle: boolean): Promise<Codec> {
  const named = splitCodecText(text);
  const [bundles, ...stages] = await Promise.all([
    isBundle ? import("./bundle-coders.js") : undefined,
    ...named.map(({ name }) => loadStage(name)),
  ]);
  return readCodec(named, stages, {}, bundles?.bundleCoders);
}
