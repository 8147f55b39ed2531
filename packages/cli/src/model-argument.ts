import type { Command } from "commander";
import { CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";

/** Names the model by the argument, or by `--model` as `serve` and `stream` do. */
export function addModelArgument(command: Command, help: string): Command {
  return command
    .argument("[model]", help)
    .option("--model <model>", "the same, as `serve` and `stream` name it");
}

/**
 * @param argument what stands in the argument's place; it goes before what the environment or a file says
 * @throws CliError `usage` when the model is named nowhere, or differently twice on the command line
 */
export function readModelArgument(argument: string | undefined, command: Command): string {
  const { model } = command.opts<{ readonly model?: string }>();
  const reference = argument ?? model;
  if (reference === undefined) throw new CliError(ExitCode.usage, "missing required argument 'model'");
  if (model !== undefined && model !== reference && command.getOptionValueSource("model") === "cli") {
    throw new CliError(ExitCode.usage, `--model: is "${model}", but the argument says "${reference}"`);
  }
  return reference;
}
