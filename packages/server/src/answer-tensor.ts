import type { ResultFormat } from "@sluice/protocol";
import { unpack } from "msgpackr";
import { encodeAnswer } from "./model-answer.js";
import type { AnsweredFrame, ServedFrame, ServedStream } from "./served-model.js";

export interface AnswerOptions extends Pick<AnsweredFrame, "frameNumber" | "inferenceMs"> {
  readonly format: ResultFormat;
}

/** Runs the model on what came of a frame, alone. @returns the payload of its result */
export async function answerTensor(
  served: ServedStream,
  { tensor, context }: ServedFrame,
  { format, ...about }: AnswerOptions,
): Promise<Uint8Array> {
  const [output] = await served.network.run([{ tensor, context }]);
  return encodeAnswer(served.answer(output, { tensor, context, ...about }), format);
}

/** What a result's payload says; `null` where it is empty or not of the format. */
export function readAnswer(payload: Uint8Array, format: ResultFormat): unknown {
  if (payload.length === 0) return null;
  try {
    return format === "json" ? JSON.parse(new TextDecoder().decode(payload)) : unpack(payload);
  } catch {
    return null;
  }
}

/** The inference time that an answer tells, in milliseconds; 0 where it tells none. */
export function inferenceTimeOf(answer: unknown): number {
  if (typeof answer !== "object" || answer === null || !("inferenceTime" in answer)) return 0;
  return typeof answer.inferenceTime === "number" ? answer.inferenceTime : 0;
}
