import { sluiceDefinition } from "./sluice/sluice-codec.js";
import type { CodecDefinition, StageDefinition } from "./stage-definition.js";
import { entropyDefinition } from "./stages/entropy.js";
import { htj2kDefinition } from "./stages/htj2k.js";
import { integersDefinition } from "./stages/integers.js";
import { jpegDefinition } from "./stages/jpeg.js";
import { jpeg2000Definition } from "./stages/jpeg2000.js";
import { predictDefinition } from "./stages/predict.js";
import { quantizeDefinition } from "./stages/quantize.js";
import { rawDefinition } from "./stages/raw.js";
import { tileDefinition } from "./stages/tile.js";
import { transformDefinition } from "./stages/transform.js";

/** All stages and codecs that a text can name (spec/registry.md). */
export const stageRegistry: readonly (StageDefinition | CodecDefinition)[] = [
  rawDefinition,
  quantizeDefinition,
  integersDefinition,
  predictDefinition,
  entropyDefinition,
  transformDefinition,
  tileDefinition,
  jpegDefinition,
  jpeg2000Definition,
  htj2kDefinition,
  sluiceDefinition,
];
