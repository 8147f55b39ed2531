import type { CutStatistics, TensorSpec } from "@sluice/tensor";
import type { Codec } from "../codec.js";
import { parseInterleaving } from "../interleave/interleaving.js";
import type { CodecDefinition } from "../stage-definition.js";
import { checkNumber } from "../stage-parameters.js";
import { createSluiceDecoder } from "./sluice-decoder.js";
import { createSluiceEncoder } from "./sluice-encoder.js";
import {
  createSluicePlan,
  layerRange,
  memoryRange,
  motionRange,
  qualityRange,
  type SluiceParameters,
  type SluicePlan,
} from "./sluice-plan.js";

const name = "sluice";

/**
 * Sluice's own codec (spec 6.11), for cuts whose statistics have a transform: decorrelating transforms scaled by what the
 * network's second half cares about, one quantization step, and static probabilities, so that every slice decodes alone at
 * hardly any cost.
 * @throws TensorError naming the parameter that is out of range
 */
export function createSluiceCodec(parameters: SluiceParameters = {}): Codec {
  const { quality = qualityRange[2], layers = layerRange[2], memory = memoryRange[2] } = parameters;
  const { motion = motionRange[2] } = parameters;
  checkNumber(name, "quality", quality, qualityRange[0], qualityRange[1], true);
  checkNumber(name, "layers", layers, layerRange[0], layerRange[1], true);
  checkNumber(name, "memory", memory, memoryRange[0], memoryRange[1], true);
  checkNumber(name, "motion", motion, motionRange[0], motionRange[1], true);
  const plan = (spec: TensorSpec, statistics: CutStatistics | undefined, interleave = ""): SluicePlan =>
    createSluicePlan(spec, statistics, { quality, layers, memory, motion }, parseInterleaving(interleave));
  return {
    text: `${name}:quality=${quality},layers=${layers},memory=${memory},motion=${motion}`,
    preferredInterleaving: () => "",
    createEncoder: (spec, statistics, interleave) =>
      createSluiceEncoder(spec, plan(spec, statistics, interleave)),
    createDecoder: (spec, statistics, interleave) =>
      createSluiceDecoder(spec, plan(spec, statistics, interleave)),
  };
}

export const sluiceDefinition: CodecDefinition = {
  name,
  parameters: ["quality", "layers", "memory", "motion"],
  readCodec: (values) =>
    createSluiceCodec({
      quality: values.integer("quality", ...qualityRange),
      layers: values.integer("layers", ...layerRange),
      memory: values.integer("memory", ...memoryRange),
      motion: values.integer("motion", ...motionRange),
    }),
};
