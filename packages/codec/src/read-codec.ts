import { TensorError } from "@sluice/tensor";
import type { BundleCoders } from "./bundle-coders.js";
import { createChainCodec, maxCodecTextLength } from "./chain-codec.js";
import type { Codec } from "./codec.js";
import type { Stage } from "./stage.js";
import type { CodecDefinition, StageDefinition } from "./stage-definition.js";
import { readParameters } from "./stage-parameters.js";

/** Values for what a codec's text leaves open. */
export interface CodecDefaults {
  /** `per` of `quantize`: `channel` where both ends hold the statistics of the cut. */
  readonly per?: "tensor" | "channel";
}

interface NamedStage {
  readonly name: string;
  readonly parameters: string | undefined;
}

/** The stages of a codec's text, which nobody has looked at yet. @throws TensorError where it is too long */
export function splitCodecText(text: string): NamedStage[] {
  if (text.length > maxCodecTextLength) {
    throw new TensorError("codec", `${text.length} characters, at most ${maxCodecTextLength} are allowed`);
  }
  return text.split("|").map((stage) => {
    const colon = stage.indexOf(":");
    const name = (colon < 0 ? stage : stage.slice(0, colon)).trim();
    return { name, parameters: colon < 0 ? undefined : stage.slice(colon + 1) };
  });
}

/** Makes the codec of a text whose stages are known. @throws TensorError as `parseCodec` */
export function readCodec(
  named: readonly NamedStage[],
  definitions: readonly (StageDefinition | CodecDefinition)[],
  defaults: CodecDefaults,
  bundles?: BundleCoders,
): Codec {
  const stages: Stage[] = [];
  for (const [at, { parameters }] of named.entries()) {
    const definition = definitions[at]!;
    const own = definition.parameters.includes("per") ? { per: defaults.per } : {};
    const values = readParameters(definition.name, definition.parameters, parameters, own);
    if ("read" in definition) stages.push(definition.read(values));
    else if (named.length === 1) return definition.readCodec(values);
    else throw new TensorError(`codec.${definition.name}`, "is no stage of a chain: it stands alone");
  }
  return createChainCodec(stages, bundles);
}
