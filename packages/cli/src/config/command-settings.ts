import { type Command, InvalidArgumentError, type Option } from "commander";
import { CliError } from "../cli-error.js";
import { ExitCode } from "../exit-codes.js";
import { type ConfigSection, isSection } from "./read-config-file.js";

/** Where the value of an option comes from, the strongest first: command line, environment, file, default. */
export type SettingSource = "cli" | "environment" | "file" | "default";

/** A value that an option got from outside the command line. */
export interface Setting {
  readonly option: Option;
  /** As it is written there; a list of texts where there are several. */
  readonly given: boolean | string | readonly string[];
  /** Parsed, as the option's own parser makes it. */
  readonly value: unknown;
  readonly source: "environment" | "file";
  /** The variable, or `FILE:LINE`. */
  readonly where: string;
}

const NEVER_SET = new Set(["help", "version", "config"]);

/** `serve`, or `conformance server`. */
export function commandPath(command: Command): readonly string[] {
  const parent = command.parent;
  return parent === null ? [] : [...commandPath(parent), command.name()];
}

/** The options of a command that can be set from outside, by the name that they have there. */
export function settableOptions(command: Command): ReadonlyMap<string, Option> {
  return new Map(
    command.options
      .filter((option) => option.long !== undefined && !NEVER_SET.has(option.name()))
      .map((option) => [option.name().replace(/^no-/, ""), option]),
  );
}

/** `SLUICE_SERVE_FPS_LIMIT` for `--fps-limit` of `sluice serve`. */
export function variableOf(path: readonly string[], name: string): string {
  return ["sluice", ...path, name].join("_").replaceAll("-", "_").toUpperCase();
}

/**
 * What environment and file say about the options of a command, the environment before the file.
 * @throws CliError `usage` naming the variable, or the file and the line
 */
export function findSettings(
  command: Command,
  file: ConfigSection | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): readonly Setting[] {
  const path = commandPath(command);
  const options = settableOptions(command);
  const settings = new Map<Option, Setting>();
  const section = file === undefined ? undefined : sectionOf(file, path);
  for (const [name, entry] of section?.entries ?? []) {
    if (isSection(entry)) {
      if (command.commands.some((below) => below.name() === name)) continue;
      throw complain(entry.where, `${path.join(" ")} has no command ${name}`);
    }
    const option = options.get(name) ?? unknownOption(entry.where, path, name, options);
    const value = parseValue(option, entry.value, `${entry.where}: ${path.join(".")}.${name}`);
    const given = asGiven(entry.value);
    settings.set(option, { option, given, value, source: "file", where: entry.where });
  }
  for (const [name, option] of options) {
    const variable = variableOf(path, name);
    const text = environment[variable];
    if (text === undefined || text === "") continue;
    const takesText = option.required || option.optional;
    const given = takesText ? [text] : switchOf(text, variable);
    settings.set(option, {
      option,
      given: asGiven(given),
      value: parseValue(option, given, variable),
      source: "environment",
      where: variable,
    });
  }
  checkVariables(path, options, command, environment);
  return [...settings.values()];
}

function asGiven(value: boolean | readonly string[]): Setting["given"] {
  return typeof value !== "boolean" && value.length === 1 ? value[0]! : value;
}

function sectionOf(file: ConfigSection, path: readonly string[]): ConfigSection | undefined {
  let section: ConfigSection | undefined = file;
  for (const name of path) {
    const below: ReturnType<ConfigSection["entries"]["get"]> = section?.entries.get(name);
    if (below !== undefined && !isSection(below)) {
      throw complain(below.where, `${name}: expected its options below it, as in \`${name}: {json: true}\``);
    }
    section = below;
  }
  return section;
}

/** A slip in a variable's name would be passed over in silence, and its limit with it. */
function checkVariables(
  path: readonly string[],
  options: ReadonlyMap<string, Option>,
  command: Command,
  environment: Readonly<Record<string, string | undefined>>,
): void {
  if (command.commands.length > 0) return;
  const prefix = variableOf(path, "");
  const known = new Set([...options.keys()].map((name) => variableOf(path, name)));
  const unknown = Object.keys(environment).find((name) => name.startsWith(prefix) && !known.has(name));
  if (unknown === undefined) return;
  throw complain(unknown, `sluice ${path.join(" ")} has no such option (known: ${[...known].join(", ")})`);
}

function switchOf(text: string, variable: string): boolean {
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off)$/i.test(text)) return false;
  throw complain(variable, `expected true or false, got ${JSON.stringify(text)}`);
}

function parseValue(option: Option, given: boolean | readonly string[], where: string): unknown {
  const takesText = option.required || option.optional;
  if (typeof given === "boolean") {
    if (takesText && !option.optional)
      throw complain(where, `expected ${option.flags.replace(/^.*?</, "<")}`);
    if (option.negate) return given;
    // A switch that is off is one that was not given.
    return given ? (option.presetArg ?? true) : undefined;
  }
  if (!takesText) throw complain(where, "expected true or false");
  if (given.length !== 1 && !option.variadic && option.parseArg === undefined) {
    throw complain(where, "expected one value, not a list");
  }
  let value: unknown = option.defaultValue;
  for (const text of given) value = parseText(option, text, value, where);
  return value;
}

function parseText(option: Option, text: string, previous: unknown, where: string): unknown {
  try {
    if (option.parseArg) return option.parseArg(text, previous as never);
  } catch (error) {
    const isTheirs =
      error instanceof CliError || error instanceof RangeError || error instanceof InvalidArgumentError;
    if (!isTheirs) throw error;
    throw complain(where, error.message.replace(`${option.long}: `, ""));
  }
  if (!option.variadic) return text;
  return Array.isArray(previous) && previous !== option.defaultValue ? [...previous, text] : [text];
}

function unknownOption(
  where: string,
  path: readonly string[],
  name: string,
  options: ReadonlyMap<string, Option>,
): never {
  throw complain(where, `${path.join(" ")} has no option ${name} (known: ${[...options.keys()].join(", ")})`);
}

const complain = (where: string, message: string): CliError =>
  new CliError(ExitCode.usage, `${where}: ${message}`);
