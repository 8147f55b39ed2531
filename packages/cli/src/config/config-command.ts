import type { Command, Option } from "commander";
import { stringify } from "yaml";
import type { CliContext } from "../cli-context.js";
import { commandPath, findSettings, type Setting, settableOptions, variableOf } from "./command-settings.js";
import { readConfigOf } from "./install-config.js";

/** An option as `sluice config` shows it. */
interface ShownOption {
  readonly value: unknown;
  readonly source: "environment" | "file" | "default" | "unset";
  readonly where: string | undefined;
  readonly variable: string;
}

const SECRET = /token|secret|password/i;

/** Registers `sluice config`. */
export function registerConfig(
  program: Command,
  context: CliContext,
  environment: Readonly<Record<string, string | undefined>>,
): void {
  program
    .command("config")
    .description("Check the configuration and print what each command would run with.")
    .argument("[command]", "only this command, such as serve")
    .option("--print", "print the options; without it they are only checked")
    .option("--json", "as JSON, with the source of each value and its environment variable")
    .addHelpText(
      "after",
      `
An option is looked for on the command line, then in the environment (SLUICE_SERVE_FPS_LIMIT for \`serve --fps-limit\`),
then in the file that --config or SLUICE_CONFIG names, and has its default otherwise. The file is YAML or JSON:

  serve:
    listen: 0.0.0.0:4433
    fps-limit: 60
    fallback: true

What is printed is such a file again. Secrets are not shown.

Examples:
  $ sluice config --config sluice.yaml
  $ sluice config serve --print --config sluice.yaml`,
    )
    .action(async (only: string | undefined, options: { readonly print?: true; readonly json?: true }) => {
      const file = await readConfigOf(program, environment);
      const shown: Record<string, Record<string, ShownOption>> = {};
      for (const command of leaves(program)) {
        const path = commandPath(command);
        const found = new Map(findSettings(command, file, environment).map((one) => [one.option, one]));
        if (path[0] === "config" || (only !== undefined && path[0] !== only)) continue;
        const list = [...settableOptions(command)].map(([name, option]): [string, ShownOption] => {
          const setting = found.get(option);
          return [name, show(option, setting, variableOf(path, name))];
        });
        shown[path.join(" ")] = Object.fromEntries(list);
      }
      if (only !== undefined && Object.keys(shown).length === 0) {
        throw new RangeError(`--print: there is no command ${only}`);
      }
      if (options.json) context.stdout.write(`${JSON.stringify(shown)}\n`);
      else if (options.print) context.stdout.write(asFile(shown));
      else context.stdout.write("the configuration is sound\n");
    });
}

function leaves(command: Command): readonly Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

function show(option: Option, setting: Setting | undefined, variable: string): ShownOption {
  const value = setting === undefined ? defaultOf(option) : setting.given;
  const hidden = SECRET.test(option.name()) && value !== undefined ? "(not shown)" : value;
  const source = setting?.source ?? (value === undefined ? "unset" : "default");
  return { value: hidden, source, where: setting?.where, variable };
}

/** A default as somebody would write it: parsed ones bring their text along. */
function defaultOf(option: Option): unknown {
  if (option.negate) return true;
  return option.defaultValueDescription ?? option.defaultValue;
}

/** A configuration file again: what is set or has a default, with where it came from. */
function asFile(shown: Readonly<Record<string, Readonly<Record<string, ShownOption>>>>): string {
  const lines: string[] = [];
  let before: readonly string[] = [];
  for (const [path, options] of Object.entries(shown)) {
    const set = Object.entries(options).filter(([, { value }]) => value !== undefined);
    if (set.length === 0) continue;
    const names = path.split(" ");
    const shared = names.findIndex((name, depth) => name !== before[depth]);
    for (const [depth, name] of names.entries()) {
      if (depth >= shared) lines.push(`${"  ".repeat(depth)}${name}:`);
    }
    before = names;
    for (const [name, { value, source, where }] of set) {
      const origin = source === "default" ? "default" : where;
      lines.push(
        `${"  ".repeat(names.length)}${stringify({ [name]: unquoted(value) }, { lineWidth: 0 }).trimEnd()} # ${origin}`,
      );
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Numbers without quotes, where they read back as the same text. */
function unquoted(value: unknown): unknown {
  return typeof value === "string" && String(Number(value)) === value ? Number(value) : value;
}
