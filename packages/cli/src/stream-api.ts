/** What a run of `sluice stream` takes, and what it reports. */

import type { AdaptiveFigures, FrameOutcome, SessionEnd, StrategySwitch } from "@sluice/client";
import type { LabelledImage } from "@sluice/inference";
import type { DeliveryMode, InferenceTerms, Strategy } from "@sluice/protocol";
import type { Dtype, TensorSpec } from "@sluice/tensor";
import type { ClientHalfOptions } from "./client-half.js";
import type { StrategyPhase } from "./strategy-phases.js";
import type { ConnectionHooks, StreamClientOptions } from "./stream-client.js";
import type { StreamedOutput } from "./stream-outputs.js";
import type { SessionFigures, StreamSummary } from "./stream-statistics.js";

export interface StreamOptions extends Omit<ClientHalfOptions, "strategy">, StreamClientOptions {
  /** `auto`: whatever suits the moment. */
  readonly strategy: Strategy | "auto";
  /** A file that `sluice profile --json` has written, for `auto`. */
  readonly profile: string | undefined;
  readonly mode: DeliveryMode;
  readonly fps: number;
  /** Whichever comes first ends the run. */
  readonly frames: number | undefined;
  readonly durationSeconds: number | undefined;
  readonly deadlineMs: number;
  readonly concealment: string | undefined;
  /** 0 to 7; 3 where it is not said. */
  readonly urgency: number | undefined;
  readonly minReceivedPercent: number | undefined;
  /** Text form of the forward error correction. */
  readonly fec: string | undefined;
  /** Text form of what slices hold. */
  readonly interleave: string | undefined;
  /** A folder for the outputs of every frame; `undefined` for none. */
  readonly saveOutputs: string | undefined;
  /** A file for what became of every frame; `undefined` for none. */
  readonly results?: string | undefined;
  /** `HOST:PORT` of the metrics; `undefined` for none. */
  readonly metrics: string | undefined;
}

/** What a run was made with, as it turned out. */
export interface StreamSetup {
  readonly model: string;
  readonly split: string;
  readonly strategy: string;
  readonly shape: readonly number[];
  readonly dtype: Dtype;
  /** Where several tensors travel together. */
  readonly parts?: readonly TensorSpec[];
  readonly codec: string;
  readonly mode: string;
  /** Text forms of the forward error correction and of what slices hold; empty for none and the codec's own order. */
  readonly fec: string;
  readonly interleave: string;
  readonly concealment: string;
  readonly deadlineMs: number;
  readonly fps: number;
  /** What `auto` chooses among, with the terms that it begins with. */
  readonly candidates?: readonly SetupCandidate[];
}

export interface SetupCandidate extends InferenceTerms {
  readonly name: string;
  readonly strategy: Strategy;
  readonly split: string;
  readonly codec: string;
  readonly worth: number;
}

export interface StreamReport {
  readonly setup: StreamSetup;
  readonly summary: StreamSummary;
  /** Of a network that is no classifier: its outputs, as the first frame brought them. */
  readonly outputs: readonly StreamedOutput[] | undefined;
  /** By what strategy which part of the run went, where it was `auto`. */
  readonly phases: readonly StrategyPhase[] | undefined;
  /** Sessions that were opened. */
  readonly sessions: number;
  /** Why there was no session at the end of the run; `undefined` where there was. */
  readonly lost: SessionEnd | undefined;
}

/** `signal` ends the run early and cleanly. */
export interface StreamHooks extends ConnectionHooks {
  onStart?(setup: StreamSetup, sender: Pick<Sender, "figures" | "strategy">): void;
  /** What became of a frame. */
  onFrame?(outcome: FrameOutcome): void;
  /** Called about twice a second. */
  onProgress?(summary: StreamSummary): void;
  /** The strategy changes, and why. */
  onSwitch?(change: StrategySwitch): void;
  /** Something that the user may want to know. */
  onNotice?(line: string): void;
}

/** An image, and when it was offered since the start of the run. */
export interface PacedImage {
  readonly image: LabelledImage;
  readonly offeredSeconds: number;
}

/** Something that takes an image in and tells what became of it. */
export interface Sender {
  readonly setup: StreamSetup;
  readonly source: AsyncIterable<LabelledImage>;
  send(frame: PacedImage): Promise<FrameOutcome & { readonly candidate?: string }>;
  figures(): SessionFigures & { readonly sessions: number };
  /** What is known of the choice, where there is one. */
  strategy?(): AdaptiveFigures;
  /** Why nothing more can be sent. */
  readonly lost: SessionEnd | undefined;
  /** Why nothing can be sent now. */
  readonly missing: SessionEnd | undefined;
  close(): Promise<void>;
}
