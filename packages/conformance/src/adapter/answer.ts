import { errorCodeName, ProtocolError } from "@sluice/protocol";
import { MuxViolation } from "@sluice/transport";
import type { Json, JsonObject } from "../vectors/vector.js";
import { runSessionScript } from "./session-script.js";
import { tensorOperations } from "./tensor-operations.js";
import { wireOperations } from "./wire-operations.js";

type Operation = (input: never) => unknown;
const operations = new Map<string, Operation>(
  Object.entries({ ...wireOperations, ...tensorOperations, session: runSessionScript }),
);

/** What the repository's own implementation answers to a request of the line protocol, without its id. Runs in pages too. */
export async function answer(op: string, input: JsonObject): Promise<JsonObject> {
  const operation = operations.get(op);
  if (!operation) return { unsupported: true };
  try {
    return { output: (await operation(input as never)) as Json };
  } catch (error) {
    if (error instanceof ProtocolError) return { error: errorCodeName(error.code) };
    if (error instanceof MuxViolation) return { error: "violation" };
    throw error;
  }
}
