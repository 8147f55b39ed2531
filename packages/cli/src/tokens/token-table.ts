import { createHash } from "node:crypto";
import type { Identity } from "@sluice/server";
import { LineCounter, parseDocument } from "yaml";
import { CliError } from "../cli-error.js";
import { ExitCode } from "../exit-codes.js";

/** An identity with the SHA-256 of its token. */
export interface TokenEntry {
  readonly digest: Buffer;
  readonly identity: Identity;
}

const MAX_ENTRIES = 10_000;
const KNOWN = ["name", "token", "sha256", "max-sessions", "fps-limit", "bytes-limit"];

export const digestOf = (token: string | Uint8Array): Buffer => createHash("sha256").update(token).digest();

/**
 * Reads a file of tokens, in YAML or JSON: a list of `{ name, token | sha256, max-sessions, fps-limit, bytes-limit }`.
 * @throws CliError `usage` naming file and line; no token stands in a message
 */
export function parseTokenTable(text: string, path: string): readonly TokenEntry[] {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const complain = (offset: number, message: string) =>
    new CliError(ExitCode.usage, `${path}:${lineCounter.linePos(offset).line}: ${message}`);
  const problem = document.errors[0];
  if (problem) throw complain(problem.pos[0], "not YAML or JSON");
  const list = document.toJS({ maxAliasCount: 0 }) as unknown;
  if (!Array.isArray(list) || list.length > MAX_ENTRIES) {
    throw complain(
      0,
      `expected a list of at most ${MAX_ENTRIES} entries, as in \`- {name: camera-7, token: ...}\``,
    );
  }
  const names = new Set<string>();
  return list.map((entry: unknown, index) => {
    const node = document.getIn([index], true) as { readonly range?: readonly number[] } | undefined;
    const fault =
      faultOf(entry) ??
      (names.has((entry as { name: string }).name) ? "the name stands there twice" : undefined);
    if (fault !== undefined) throw complain(node?.range?.[0] ?? 0, fault);
    const read = entry as Record<string, string | number | undefined>;
    names.add(read.name as string);
    const digest =
      read.token === undefined ? Buffer.from(read.sha256 as string, "hex") : digestOf(String(read.token));
    return { digest, identity: identityOf(read.name as string, read) };
  });
}

/** An identity by the names that its limits have in files and on the command line. */
export function identityOf(name: string, limits: Readonly<Record<string, unknown>>): Identity {
  const {
    "max-sessions": maxSessions,
    "fps-limit": framesPerSecond,
    "bytes-limit": maxBytesPerSecond,
  } = limits;
  return {
    name,
    ...(typeof maxSessions === "number" ? { maxSessions } : {}),
    limits: {
      ...(typeof framesPerSecond === "number" ? { framesPerSecond } : {}),
      ...(typeof maxBytesPerSecond === "number" ? { maxBytesPerSecond } : {}),
    },
  };
}

function faultOf(entry: unknown): string | undefined {
  if (typeof entry !== "object" || entry === null) return "expected a name and a token";
  const read = entry as Record<string, unknown>;
  const unknown = Object.keys(read).find((key) => !KNOWN.includes(key));
  if (unknown !== undefined) return `unknown key ${unknown} (known: ${KNOWN.join(", ")})`;
  if (typeof read.name !== "string" || read.name === "") return "name: expected a text";
  if ((read.token === undefined) === (read.sha256 === undefined)) return "expected either token or sha256";
  if (read.token !== undefined && typeof read.token !== "string")
    return "token: expected a text; quote digits";
  if (read.sha256 !== undefined && !/^[0-9a-f]{64}$/i.test(String(read.sha256))) {
    return "sha256: expected 64 hexadecimal digits";
  }
  return KNOWN.slice(3)
    .filter((key) => read[key] !== undefined && !(Number.isInteger(read[key]) && (read[key] as number) > 0))
    .map((key) => `${key}: expected a whole number from 1`)[0];
}
