import { pack, unpack } from "msgpackr";
import type { ServedStream } from "./served-model.js";
import type { ReceivedTensor } from "./tensor-receiver.js";

/** Runs the model on what came of a frame. @returns the payload of its result */
export async function answerTensor(
  served: ServedStream,
  { tensor, context }: Pick<ReceivedTensor, "tensor" | "context">,
): Promise<Uint8Array> {
  return pack(await served.run(tensor, context));
}

/** What a result's payload says; `null` where it is empty or no MessagePack. */
export function readAnswer(payload: Uint8Array): unknown {
  if (payload.length === 0) return null;
  try {
    return unpack(payload);
  } catch {
    return null;
  }
}
