/** A model under a name of its own: `[NAME[@VERSION]=]MODEL`. */
import { existsSync } from "node:fs";
import { CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";

/** A model, as the command line names it. */
export interface ModelEntry {
  /** What clients ask for; undefined: the model's own name. */
  readonly name: string | undefined;
  /** Empty: none. */
  readonly version: string;
  /** What `loadModel` takes, or `sink`. */
  readonly reference: string;
  readonly labelsPath: string | undefined;
}

/** Without a version, and without labels beside it. */
export const plainEntry = { version: "", labelsPath: undefined };

/** Whether the whole text is the path of something, with sizes behind it or not. */
function isPath(text: string): boolean {
  for (let at = text.indexOf(":"); at > 0; at = text.indexOf(":", at + 1)) {
    if (existsSync(text.slice(0, at))) return true;
  }
  return existsSync(text);
}

/** `[NAME[@VERSION]=]MODEL`; a path that is there goes before a name. @throws CliError naming the option */
export function parseModelEntry(text: string): ModelEntry {
  if (isPath(text)) return { ...plainEntry, name: undefined, reference: text };
  // A path with sizes of axes behind it has a colon and a sign of equality, too.
  const match = /^(?:([^=@:/\\]+)(?:@([A-Za-z0-9.-]+))?=)?(.+)$/s.exec(text);
  if (!match) {
    throw new CliError(ExitCode.usage, `--model: expected [NAME[@VERSION]=]MODEL, got "${text}"`);
  }
  const [, name, version = "", reference] = match;
  return { name, version, reference: reference!, labelsPath: undefined };
}
