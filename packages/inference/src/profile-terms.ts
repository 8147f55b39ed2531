import type { InferenceTerms, Strategy } from "@sluice/protocol";

/**
 * What `sluice profile --json` writes and a client chooses by: the terms of the total inference time for each way to
 * run a model, measured on one machine. Medians, in milliseconds and bytes. JSON as it stands.
 */
export interface ModelProfile {
  readonly version: 1;
  readonly model: string;
  /** The machine that both halves were measured on, for people. */
  readonly machine: string;
  /** `client` once, `server` for each codec of the input, `shared` for each cut and codec. */
  readonly options: readonly ProfiledOption[];
}

export interface ProfiledOption extends InferenceTerms {
  readonly strategy: Strategy;
  /** The tensor at the cut; empty for `client` and `server`. */
  readonly split: string;
  /** The codec in its canonical text; empty for `client`. */
  readonly codec: string;
  /** Share of the whole network's right answers that is left, 0 to 1; null where it was not measured. */
  readonly accuracyKept: number | null;
}
