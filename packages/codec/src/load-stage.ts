import { TensorError } from "@sluice/tensor";
import { describeUnknown } from "./did-you-mean.js";
import type { CodecDefinition, StageDefinition } from "./stage-definition.js";
import { quantizeDefinition } from "./stages/quantize.js";

type Definition = StageDefinition | CodecDefinition;

/** What is used by default. */
const present: readonly Definition[] = [quantizeDefinition];

/** What a page loads when a codec names it. `stage-registry.ts` holds all of them at once. */
const loaders: Readonly<Record<string, () => Promise<Definition>>> = {
  raw: async () => (await import("./stages/raw.js")).rawDefinition,
  integers: async () => (await import("./stages/integers.js")).integersDefinition,
  predict: async () => (await import("./stages/predict.js")).predictDefinition,
  entropy: async () => (await import("./stages/entropy.js")).entropyDefinition,
  transform: async () => (await import("./stages/transform.js")).transformDefinition,
  tile: async () => (await import("./stages/tile.js")).tileDefinition,
  jpeg: async () => (await import("./stages/jpeg.js")).jpegDefinition,
  jpeg2000: async () => (await import("./stages/jpeg2000.js")).jpeg2000Definition,
  htj2k: async () => (await import("./stages/htj2k.js")).htj2kDefinition,
  sluice: async () => (await import("./sluice/sluice-codec.js")).sluiceDefinition,
};

/** The names that `loadStage` knows. */
export const loadableStages: readonly string[] = [
  ...present.map(({ name }) => name),
  ...Object.keys(loaders),
];

/** The definition of a stage or codec. @throws TensorError where there is none of that name */
export async function loadStage(name: string): Promise<Definition> {
  const known = present.find((definition) => definition.name === name);
  if (known) return known;
  if (!Object.hasOwn(loaders, name)) {
    throw new TensorError("codec", describeUnknown("stage", name, loadableStages));
  }
  return loaders[name]!();
}
