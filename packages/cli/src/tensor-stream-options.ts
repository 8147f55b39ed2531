import type { OpenStreamOptions } from "@sluice/client";
import type { ModelPart } from "./model-part.js";
import type { StreamOptions } from "./stream-api.js";

/** What a tensor stream for a part of a model is opened with; what the user has not said is left to the client. */
export function tensorStreamOptions(
  model: string,
  { split, spec, statistics }: Pick<ModelPart, "split" | "spec" | "statistics">,
  codec: string,
  options: StreamOptions,
): Omit<OpenStreamOptions, "deadlineMs"> {
  const { mode, concealment = "", urgency, minReceivedPercent, fec = "", interleave, saveOutputs } = options;
  return {
    ...(saveOutputs === undefined ? {} : { resultContent: "tensors" as const }),
    ...{ model, split, spec, codec, mode, fec, concealment },
    ...(interleave === undefined ? {} : { interleave }),
    ...(urgency === undefined ? {} : { urgency }),
    ...(minReceivedPercent === undefined ? {} : { minReceivedPercent }),
    ...(statistics ? { statistics } : {}),
  };
}
