import type { CaseResult } from "../case-report.js";
import { compareOutput, shorten } from "./compare.js";
import { compareSession } from "./compare-session.js";
import type { LineAnswer, LinePeer } from "./line-peer.js";
import type { Vector } from "./vector.js";

/** A program that breaks at the first cases, all of them, is none; it is not started for every other case too. */
const hopelessAfter = 5;

/** Asks an implementation every case. */
export async function runVectors(
  peer: LinePeer,
  vectors: readonly Vector[],
  onCase?: (result: CaseResult) => void,
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  let answered = 0;
  for (const vector of vectors) {
    if (answered === 0 && results.length >= hopelessAfter) {
      results.push({ id: vector.id, failure: `not asked: the first ${hopelessAfter} cases had no answer` });
      continue;
    }
    const answer = await peer.ask(vector.op, vector.input);
    if (answer.type !== "broken") answered++;
    const result = { id: vector.id, failure: judge(vector, answer) };
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
