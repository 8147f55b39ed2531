import { CommanderError } from "commander";
import { type CliContext, createProcessContext, type ProcessContext } from "./cli-context.js";
import { CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";
import { explainError } from "./explain-error.js";
import { createProgram } from "./program.js";

/** Help and version arrive as errors too. */
function isFinished(error: unknown): boolean {
  return error instanceof CommanderError && error.exitCode === 0;
}

function report(error: unknown, context: CliContext): ExitCode {
  if (isFinished(error)) return ExitCode.ok;
  // Without a command: the help was shown.
  if (error instanceof CommanderError && error.code === "commander.help") return ExitCode.usage;
  // A process that this one started has said what there is to say.
  if (error instanceof CliError && error.message === "") return error.exitCode;
  const { exitCode, message } = explainError(error);
  // On a line of its own, whatever progress line stands there.
  context.stderr.write(`${context.isTty ? "\r\u001b[K" : ""}sluice: ${message}\n`);
  if (process.env.SLUICE_DEBUG === "1") {
    context.stderr.write(`${error instanceof Error ? (error.stack ?? "") : ""}\n`);
    if (error instanceof Error && error.cause !== undefined)
      context.stderr.write(`caused by: ${String(error.cause)}\n`);
  }
  return exitCode;
}

/** Runs a command line, by default over the process. Resolves to the exit code; never rejects. */
export async function main(
  argv: readonly string[],
  context: ProcessContext = createProcessContext(),
): Promise<number> {
  try {
    await createProgram(context).parseAsync([...argv], { from: "user" });
    return context.exitCode();
  } catch (error) {
    return report(error, context);
  } finally {
    context.release();
  }
}
