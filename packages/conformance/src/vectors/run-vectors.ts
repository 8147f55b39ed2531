import type { CaseResult } from "../case-report.js";
import { compareOutput, shorten } from "./compare.js";
import { compareSession } from "./compare-session.js";
import type { LineAnswer, LinePeer } from "./line-peer.js";
import type { Vector, VectorSet } from "./vector.js";

/** Asks an implementation every case. */
export async function runVectors(
  peer: LinePeer,
  sets: readonly VectorSet[],
  onCase?: (result: CaseResult) => void,
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const vector of sets.flatMap(({ cases }) => cases)) {
    const result = { id: vector.id, failure: judge(vector, await peer.ask(vector.op, vector.input)) };
    results.push(result);
    onCase?.(result);
  }
  return results;
}

function judge(vector: Vector, answer: LineAnswer): string | undefined {
  switch (answer.type) {
    case "broken":
      return answer.reason;
    case "unsupported":
      return `the operation ${vector.op} is not supported`;
    case "error":
      if (answer.error === vector.error) return undefined;
      return `expected ${vector.error ? `the error ${vector.error}` : "an output"}, got the error ${answer.error}`;
    case "output":
      if (vector.error !== undefined)
        return `expected the error ${vector.error}, got ${shorten(answer.output)}`;
      return vector.expect ? compareSession(vector, answer.output) : compareOutput(vector, answer.output);
    default:
      answer satisfies never;
      return undefined;
  }
}
