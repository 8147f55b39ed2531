import { TensorError } from "@sluice/tensor";
import { bundleCoders } from "./bundle-coders.js";
import type { Codec } from "./codec.js";
import { describeUnknown } from "./did-you-mean.js";
import { type CodecDefaults, readCodec, splitCodecText } from "./read-codec.js";
import { stageRegistry } from "./stage-registry.js";

/** Stages that a codec's text can name. */
export const codecStages: readonly string[] = stageRegistry.map(({ name }) => name);

/**
 * Reads a codec's text: a chain `stage | stage | ...`, each `name` or `name:parameter=value,parameter=value` (spec 6).
 * The codec's own `text` is canonical: it names every parameter, so that two ends that hold the same text (and, for
 * `per=channel`, the same statistics) read each other's slices, whatever their defaults are. spec/registry.md lists the
 * stages: `raw`; `quantize:levels=8,clip=3`; `quantize:levels=256,clip=4 | tile | jpeg:quality=60` ...
 *
 * @throws TensorError naming the stage or parameter, its value and what is allowed.
 */
export function parseCodec(text: string, defaults: CodecDefaults = {}): Codec {
  const named = splitCodecText(text);
  const definitions = named.map(({ name }) => {
    const definition = stageRegistry.find((known) => known.name === name);
    if (!definition) throw new TensorError("codec", describeUnknown("stage", name, codecStages));
    return definition;
  });
  return readCodec(named, definitions, defaults, bundleCoders);
}
