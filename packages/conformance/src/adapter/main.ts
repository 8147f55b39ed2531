/**
 * The repository's own implementation behind the line protocol of packages/conformance/README.md: requests on stdin,
 * answers on stdout, one JSON object a line.
 */
import { createInterface } from "node:readline";
import type { JsonObject } from "../vectors/vector.js";
import { answer } from "./answer.js";

for await (const line of createInterface({ input: process.stdin })) {
  const { id, op, input } = JSON.parse(line) as { id: number; op: string; input: JsonObject };
  process.stdout.write(`${JSON.stringify({ id, ...(await answer(op, input)) })}\n`);
}
