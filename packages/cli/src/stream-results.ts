/** What came of each frame, as a file that people and programs read. */
import { type FileHandle, open } from "node:fs/promises";
import { type FrameOutcome, readOutputs } from "@sluice/client";
import { CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";

export interface StreamResults {
  /**
   * A frame has ended.
   * @param image names the image within its source
   * @throws CliError where it cannot be written
   */
  add(image: string, label: number | undefined, outcome: FrameOutcome): Promise<void>;
  close(): Promise<void>;
}

/** @param path of the file; `undefined`: none is written */
export async function createStreamResults(path: string | undefined): Promise<StreamResults> {
  if (path === undefined) return { async add() {}, async close() {} };
  async function writing<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      throw new CliError(ExitCode.notFound, `--results: ${(error as Error).message}`);
    }
  }
  const file: FileHandle = await writing(() => open(path, "w"));
  return {
    async add(image, label, outcome) {
      await writing(() => file.appendFile(`${formatResult(image, label, outcome)}\n`));
    },
    close: () => file.close(),
  };
}

/** One line of JSON: the image, the status with its reason or latency, and the model's answer. Of outputs it names the shapes. */
export function formatResult(image: string, label: number | undefined, outcome: FrameOutcome): string {
  const about = { image, ...(label === undefined ? {} : { label }), status: outcome.status };
  if (outcome.status !== "delivered") return JSON.stringify({ ...about, reason: outcome.reason });
  const { answer, onTime, latencyMs, concealedFraction } = outcome;
  const rounded = { latencyMs: Math.round(latencyMs * 100) / 100, onTime, concealedFraction };
  return JSON.stringify({ ...about, ...rounded, ...describeAnswer(answer) });
}

function describeAnswer(answer: unknown): object {
  if (typeof answer !== "object" || answer === null) return { answer };
  if (!("outputs" in answer)) return answer;
  const outputs = readOutputs(answer).map(({ name, tensor: { dtype, shape } }) => ({ name, dtype, shape }));
  return { ...answer, outputs };
}
