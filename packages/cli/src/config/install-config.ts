import type { Command } from "commander";
import { CliError } from "../cli-error.js";
import { ExitCode } from "../exit-codes.js";
import { findSettings } from "./command-settings.js";
import { type ConfigSection, isSection, readConfigFile } from "./read-config-file.js";

/** Reads the file that `--config` or `SLUICE_CONFIG` names, and checks that every section is a command. */
export async function readConfigOf(
  program: Command,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ConfigSection | undefined> {
  const path: unknown = program.opts().config ?? environment.SLUICE_CONFIG;
  if (typeof path !== "string" || path === "") return undefined;
  const file = await readConfigFile(path);
  const commands = program.commands.map((command) => command.name());
  for (const [name, entry] of file.entries) {
    if (commands.includes(name) && isSection(entry)) continue;
    const problem = commands.includes(name)
      ? `${name}: expected its options below it`
      : `there is no command ${name} (known: ${commands.join(", ")})`;
    throw new CliError(ExitCode.usage, `${entry.where}: ${problem}`);
  }
  return file;
}

/** Lets every command of a program take its options from the environment and from a file as well. */
export function installConfig(
  program: Command,
  environment: Readonly<Record<string, string | undefined>>,
): void {
  let reading: ReturnType<typeof readConfigOf> | undefined;
  const settingsOf = async (command: Command) => {
    reading ??= readConfigOf(program, environment);
    return findSettings(command, await reading, environment);
  };
  program
    .option("--config <file>", "options of the commands in YAML or JSON; SLUICE_CONFIG names it as well")
    .hook("preSubcommand", async (_, command) => {
      // What the command line must say otherwise, before it is checked.
      for (const { option } of await settingsOf(command)) option.makeOptionMandatory(false);
    })
    .hook("preAction", async (_, command) => {
      for (const { option, value, source } of await settingsOf(command)) {
        const name = option.attributeName();
        if (command.getOptionValueSource(name) === "cli") continue;
        command.setOptionValueWithSource(name, value, source);
      }
    });
}
