import type { FlowNode } from "../graph/data-flow.js";
import type { InputSizes } from "../input-sizes.js";
import type { RawInfo } from "../worker-engine/messages.js";
import type { TfjsArtifacts } from "./artifacts.js";
import type { TfjsBackend } from "./open-backend.js";

/** Which part of a network runs: from its inputs or an inner value to its outputs or an inner value. */
export interface TfjsPart {
  readonly inputs: readonly RawInfo[];
  readonly outputs: readonly RawInfo[];
}

/** What the worker thread is started with. */
export interface TfjsWorkerSettings {
  readonly artifacts: TfjsArtifacts;
  /** The part whose runs are served; `describe`: answers with a description of the whole, and ends. */
  readonly task: TfjsPart | "describe";
  /** That its inputs leave open; for a description. */
  readonly sizes?: InputSizes | undefined;
  /** What is tried, in this order. */
  readonly backends: readonly TfjsBackend[];
  /** Modules that take the place of the packages; for tests. */
  readonly modules: Readonly<Record<string, string>>;
}

/** An operation with what it costs. */
export interface TfjsNode extends FlowNode {
  /** Multiply-adds of one sample; 0 where they are not known. */
  readonly multiplyAdds: number;
}

/** A value that a node makes. */
export interface TfjsValueType {
  readonly type: string;
  /** With the batch axis; null: not known, or not with the batch in front. */
  readonly shape: readonly (number | string | null)[] | null;
  /** Why it cannot be sent, in words, whatever its type. */
  readonly obstacle?: string;
}

/** What a network consists of. */
export interface TfjsDescription {
  readonly inputs: readonly RawInfo[];
  readonly outputs: readonly RawInfo[];
  readonly nodes: readonly TfjsNode[];
  readonly constants: readonly string[];
  /** Of the inputs, the outputs and the values that could be cut at; of the others where it was cheap to know. */
  readonly types: ReadonlyMap<string, TfjsValueType>;
}

/** From a worker that describes to the main thread. */
export type TfjsDescribeReply =
  | { readonly kind: "described"; readonly description: TfjsDescription; readonly log: readonly string[] }
  | { readonly kind: "refused"; readonly reason: "not-available" | "load-failed"; readonly message: string };
