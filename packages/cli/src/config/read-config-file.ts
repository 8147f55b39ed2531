import { readFile } from "node:fs/promises";
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { CliError } from "../cli-error.js";
import { ExitCode } from "../exit-codes.js";

/** What one key of a configuration file says, and where. */
export interface ConfigEntry {
  /** The texts that would stand on a command line, or a switch that is on or off. */
  readonly value: boolean | readonly string[];
  /** `FILE:LINE`, for messages. */
  readonly where: string;
}

/** The options of one command; nested commands stand under their names. */
export interface ConfigSection {
  readonly where: string;
  readonly entries: ReadonlyMap<string, ConfigEntry | ConfigSection>;
}

/** Far more than every option of every command. */
const MAX_BYTES = 256 * 1024;
const MAX_DEPTH = 4;

export function isSection(value: ConfigEntry | ConfigSection): value is ConfigSection {
  return "entries" in value;
}

const complain = (where: string, message: string): CliError =>
  new CliError(ExitCode.usage, `${where}: ${message}`);

/**
 * Reads a configuration file in YAML 1.2, of which JSON is a part.
 * @throws CliError `usage` naming file and line; the system's error where the file cannot be read
 */
export async function readConfigFile(path: string): Promise<ConfigSection> {
  const bytes = await readFile(path);
  if (bytes.length > MAX_BYTES) throw complain(path, `more than ${MAX_BYTES} bytes`);
  return parseConfig(bytes.toString("utf8"), path);
}

/** The same for text at hand. @throws CliError `usage` naming file and line */
export function parseConfig(text: string, path: string): ConfigSection {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, uniqueKeys: true, prettyErrors: false });
  const at = (offset: number) => `${path}:${lineCounter.linePos(offset).line}`;
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) throw complain(at(problem.pos[0]), problem.message);
  if (document.contents === null) return { where: `${path}:1`, entries: new Map() };
  return readSection(document.contents, at(document.contents.range?.[0] ?? 0), at, MAX_DEPTH);
}

type At = (offset: number) => string;

function readSection(node: Node, where: string, at: At, depth: number): ConfigSection {
  if (!isMap(node) || depth === 0) {
    throw complain(where, "expected commands, and below each its options, as in `serve: {fps-limit: 30}`");
  }
  const entries = new Map<string, ConfigEntry | ConfigSection>();
  for (const { key, value } of node.items) {
    const keyNode = key as Node;
    if (!isScalar(keyNode)) throw complain(where, "expected a name before the colon");
    const keyWhere = at(keyNode.range?.[0] ?? 0);
    const name = String(keyNode.value);
    // `serve:` with nothing below it.
    if (value === null || (isScalar(value) && value.value === null)) continue;
    const isBelow = isMap(value as Node);
    entries.set(
      name,
      isBelow
        ? readSection(value as Node, keyWhere, at, depth - 1)
        : readEntry(name, value as Node, keyWhere),
    );
  }
  return { where, entries };
}

function readEntry(name: string, node: Node, where: string): ConfigEntry {
  if (isScalar(node)) {
    if (typeof node.value === "boolean") return { value: node.value, where };
    return { value: [textOf(name, node, where)], where };
  }
  if (isSeq(node)) {
    return { value: node.items.map((item) => textOf(name, item as Node, where)), where };
  }
  throw complain(where, `${name}: expected a text, a number, true, false or a list of texts`);
}

function textOf(name: string, node: Node, where: string): string {
  if (isScalar(node) && (typeof node.value === "string" || typeof node.value === "number")) {
    // As it is written: 1e3 or 0x10 is for the option's own parser to judge.
    return typeof node.source === "string" ? node.source : String(node.value);
  }
  throw complain(where, `${name}: expected a text or a number`);
}
