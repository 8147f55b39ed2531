import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readOutputs } from "@sluice/client";
import { CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";
import { encodeNpy } from "./npy-file.js";

/** An output as a run reports it. */
export interface StreamedOutput {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** What networks that are no classifiers have answered with. */
export interface StreamOutputs {
  /** A frame was delivered. @throws CliError where its outputs cannot be written */
  add(frame: number, answer: unknown): Promise<void>;
  /** Those of the first frame that had any. */
  readonly first: readonly StreamedOutput[] | undefined;
}

/** @param directory where the outputs of every frame are written; `undefined`: nowhere */
export async function createStreamOutputs(directory: string | undefined): Promise<StreamOutputs> {
  let first: readonly StreamedOutput[] | undefined;

  async function writing<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      throw new CliError(ExitCode.notFound, `--save-outputs: ${(error as Error).message}`);
    }
  }

  if (directory !== undefined) await writing(() => mkdir(directory, { recursive: true }));
  return {
    async add(frame, answer) {
      if (first && directory === undefined) return;
      if (typeof answer !== "object" || answer === null || !("outputs" in answer)) return;
      const outputs = readOutputs(answer);
      first ??= outputs.map(({ name, tensor: { dtype, shape } }) => ({ name, dtype, shape }));
      if (directory === undefined) return;
      for (const [i, { name, tensor }] of outputs.entries())
        await writing(() => writeFile(join(directory, fileName(frame, i, name)), encodeNpy(tensor)));
    },
    get first() {
      return first;
    },
  };
}

/** Names of outputs may hold slashes and worse. */
function fileName(frame: number, index: number, output: string): string {
  return `${String(frame).padStart(6, "0")}-${index}-${output.replaceAll(/[^\w.-]/g, "_").slice(0, 100)}.npy`;
}

export function formatOutputs(outputs: readonly StreamedOutput[]): string {
  return outputs.map(({ name, dtype, shape }) => `${name} ${dtype} [${shape.join(", ")}]`).join(", ");
}
