import { ModelError } from "./model-error.js";
import type { ModelSplit } from "./onnx/split-graph.js";
import { describeValue, type TensorInfo } from "./tensor-info.js";

/** Where a network runs: all of it at the client, cut between both, or all of it at the server. */
export const strategies = ["client", "shared", "server"] as const;
export type Strategy = (typeof strategies)[number];

/** Which ONNX model runs on which side, and what is sent between them. */
export interface StrategyPlan {
  readonly strategy: Strategy;
  /** null: the client runs no model. */
  readonly client: Uint8Array | null;
  /** null: the server runs no model. */
  readonly server: Uint8Array | null;
  /** The tensor that goes over the network; null: nothing does. */
  readonly sent: TensorInfo | null;
}

/**
 * Plans which half of a model runs where.
 * @param split needed for `shared`, not looked at otherwise
 * @throws ModelError `illegal-cut` for `shared` without a split
 */
export function planStrategy(
  model: { readonly bytes: Uint8Array; readonly input: TensorInfo },
  strategy: Strategy,
  split?: ModelSplit,
): StrategyPlan {
  switch (strategy) {
    case "client":
      return { strategy, client: model.bytes, server: null, sent: null };
    case "server":
      return { strategy, client: null, server: model.bytes, sent: model.input };
    case "shared":
      if (split === undefined) {
        throw new ModelError("illegal-cut", `strategy "shared": needs a cut, and none was given`);
      }
      return { strategy, client: split.head, server: split.tail, sent: describeValue(split.cut) };
    default: {
      const unknown: never = strategy;
      throw new ModelError(
        "unknown-name",
        `strategy: must be one of ${strategies.join(", ")}, got ${String(unknown)}`,
      );
    }
  }
}
