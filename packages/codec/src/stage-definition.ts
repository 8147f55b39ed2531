import type { Codec } from "./codec.js";
import type { Stage } from "./stage.js";
import type { ParameterReader } from "./stage-parameters.js";

/** A stage as the registry knows it: how its text is read. */
export interface StageDefinition {
  readonly name: string;
  /** In the order of the canonical text. */
  readonly parameters: readonly string[];
  /** @throws TensorError naming the parameter that is out of range */
  read(values: ParameterReader): Stage;
}

/** A codec that is no chain of stages: it has units and a notion of time of its own, and stands alone in a text. */
export interface CodecDefinition {
  readonly name: string;
  readonly parameters: readonly string[];
  readCodec(values: ParameterReader): Codec;
}
