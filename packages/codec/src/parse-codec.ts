import { TensorError } from "@sluice/tensor";
import { createChainCodec, maxCodecTextLength } from "./chain-codec.js";
import type { Codec } from "./codec.js";
import { describeUnknown } from "./did-you-mean.js";
import type { Stage } from "./stage.js";
import type { CodecDefinition, StageDefinition } from "./stage-definition.js";
import { readParameters } from "./stage-parameters.js";
import { stageRegistry } from "./stage-registry.js";

/**
 * What suits a float32 tensor at a cut where nothing is known of it, 5 bits an element. On CIFAR-10 ResNet-56, cut
 * behind its 9th, 18th and 24th block, it cost at most 0.1 % top-1; 16 levels within 3 sigma cost 0.5 to 1.7 %, for
 * the rare large activations that a narrow range clips are the ones that decide.
 */
export const defaultCodec = "quantize:levels=32,clip=6,per=tensor";

/** Stages that a codec's text can name. */
export const codecStages: readonly string[] = stageRegistry.map(({ name }) => name);

/** Values for what a codec's text leaves open. */
export interface CodecDefaults {
  /** `per` of `quantize`: `channel` where both ends hold the statistics of the cut. */
  readonly per?: "tensor" | "channel";
}

interface NamedStage {
  readonly definition: StageDefinition | CodecDefinition;
  readonly parameters: string | undefined;
}

function readStage(text: string): NamedStage {
  const colon = text.indexOf(":");
  const name = (colon < 0 ? text : text.slice(0, colon)).trim();
  const definition = stageRegistry.find((known) => known.name === name);
  if (!definition) throw new TensorError("codec", describeUnknown("stage", name, codecStages));
  return { definition, parameters: colon < 0 ? undefined : text.slice(colon + 1) };
}

/**
 * Reads a codec's text: a chain `stage | stage | ...`, each `name` or `name:parameter=value,parameter=value` (spec 6).
 * The codec's own `text` is canonical: it names every parameter, so that two ends that hold the same text (and, for
 * `per=channel`, the same statistics) read each other's slices, whatever their defaults are. spec/registry.md lists the
 * stages: `raw`; `quantize:levels=8,clip=3`; `quantize:levels=256,clip=4 | tile | jpeg:quality=60` ...
 *
 * @throws TensorError naming the stage or parameter, its value and what is allowed.
 */
export function parseCodec(text: string, defaults: CodecDefaults = {}): Codec {
  if (text.length > maxCodecTextLength) {
    throw new TensorError("codec", `${text.length} characters, at most ${maxCodecTextLength} are allowed`);
  }
  const named = text.split("|").map(readStage);
  const stages: Stage[] = [];
  for (const { definition, parameters } of named) {
    const own = definition.parameters.includes("per") ? { per: defaults.per } : {};
    const values = readParameters(definition.name, definition.parameters, parameters, own);
    if ("read" in definition) stages.push(definition.read(values));
    else if (named.length === 1) return definition.readCodec(values);
    else throw new TensorError(`codec.${definition.name}`, "is no stage of a chain: it stands alone");
  }
  return createChainCodec(stages);
}
