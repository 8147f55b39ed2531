/**
 * The repository's own implementation behind the line protocol of packages/conformance/README.md: requests on stdin,
 * answers on stdout, one JSON object a line.
 */
import { createInterface } from "node:readline";
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

async function answer(op: string, input: JsonObject): Promise<Json> {
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

for await (const line of createInterface({ input: process.stdin })) {
  const { id, op, input } = JSON.parse(line) as { id: number; op: string; input: JsonObject };
  process.stdout.write(`${JSON.stringify({ id, ...((await answer(op, input)) as object) })}\n`);
}
