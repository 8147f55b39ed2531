import { TensorError } from "@sluice/tensor";
import { ExitCode } from "./exit-codes.js";

/** Ends a command with one line on stderr, or none where the message is empty, and an exit code. */
export class CliError extends Error {
  override readonly name = "CliError";
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Runs a check or a parser of what the user wrote.
 * @throws CliError `usage` with the same message where it throws a RangeError or a TensorError
 */
export function asUsage<T>(check: () => T): T {
  try {
    return check();
  } catch (cause) {
    if (!(cause instanceof RangeError || cause instanceof TensorError)) throw cause;
    throw new CliError(ExitCode.usage, cause.message, { cause });
  }
}
