import { ExitCode, main } from "@sluice/cli";
import type { SluiceRun } from "./run-sluice.js";

/** Runs `sluice` in this process: what it says, without the half second that a process takes to start. */
export async function runHere(args: readonly string[]): Promise<SluiceRun> {
  let stdout = "";
  let stderr = "";
  let exitCode: ExitCode = ExitCode.ok;
  const code = await main(args, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    signal: new AbortController().signal,
    isTty: false,
    exitWith: (code) => (exitCode = code),
    exitCode: () => exitCode,
    release() {},
  });
  return { code, stdout, stderr };
}
