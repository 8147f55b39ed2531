import { TensorError } from "@sluice/tensor";
import type { Codec } from "../codec.js";
import { createSluiceDecoder } from "./sluice-decoder.js";
import { createSluiceEncoder } from "./sluice-encoder.js";
import { createSluicePlan, layerRange, qualityRange, type SluiceParameters } from "./sluice-plan.js";

function checked(name: string, value: number, [from, to]: readonly [number, number, number]): number {
  if (Number.isInteger(value) && value >= from && value <= to) return value;
  throw new TensorError(`codec.sluice.${name}`, `must be an integer from ${from} to ${to}, got ${value}`);
}

/**
 * Sluice's own codec (spec 6.8), for cuts whose statistics have a transform: decorrelating transforms scaled by what the
 * network's second half cares about, one quantization step, and static probabilities, so that every slice decodes alone at
 * hardly any cost.
 * @throws TensorError naming the parameter that is out of range
 */
export function createSluiceCodec(parameters: SluiceParameters = {}): Codec {
  const quality = checked("quality", parameters.quality ?? qualityRange[2], qualityRange);
  const layers = checked("layers", parameters.layers ?? layerRange[2], layerRange);
  return {
    text: `sluice:quality=${quality},layers=${layers}`,
    createEncoder: (spec, statistics) =>
      createSluiceEncoder(spec, createSluicePlan(spec, statistics, quality, layers)),
    createDecoder: (spec, statistics) =>
      createSluiceDecoder(spec, createSluicePlan(spec, statistics, quality, layers)),
  };
}
