import { malformed } from "./error.js";
import type { Field } from "./qpack.js";

/** The fields of one message, sorted. */
export interface Message {
  readonly pseudo: ReadonlyMap<string, string>;
  /** Repeated ones joined by ", ", cookies by "; ". */
  readonly headers: ReadonlyMap<string, string>;
}

/** A token of RFC 9110 5.6.2 in lower case (RFC 9114 4.2). */
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** RFC 9110 5.5: no NUL, CR or LF, and no white space at either end. */
const BAD_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/;
/** Fields that belong to one HTTP/1.1 connection (RFC 9114 4.2). */
const CONNECTION_SPECIFIC = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** What is wrong with a field that is not a pseudo-header field, or `undefined` (RFC 9114 4.2, RFC 9110 5.5). */
export function describeBadField(name: string, value: string): string | undefined {
  if (!FIELD_NAME.test(name)) return `field name ${JSON.stringify(name)}`;
  if (BAD_VALUE.test(value)) return `value of the field ${name}`;
  if (CONNECTION_SPECIFIC.has(name)) return `field ${name}, which HTTP/3 has not`;
  if (name === "te" && value !== "trailers") return "field te with something else than trailers";
  return undefined;
}

/**
 * Sorts the fields of a message and checks the rules that requests and responses share (RFC 9114 4.2, 4.3).
 * `allowed`: the pseudo-header fields of this kind of message.
 */
export function parseMessage(fields: readonly Field[], allowed: ReadonlySet<string>): Message {
  const pseudo = new Map<string, string>();
  const headers = new Map<string, string>();
  for (const [name, value] of fields) {
    if (name.startsWith(":")) {
      // RFC 9114 4.3: only defined ones, each once, all in front of the others.
      if (!allowed.has(name)) throw malformed(`pseudo-header field ${JSON.stringify(name)}`);
      if (pseudo.has(name) || headers.size > 0) throw malformed(`misplaced ${name}`);
      if (BAD_VALUE.test(value)) throw malformed(`value of ${name}`);
      pseudo.set(name, value);
      continue;
    }
    const bad = describeBadField(name, value);
    if (bad !== undefined) throw malformed(bad);
    const before = headers.get(name);
    // RFC 9114 4.2.1: cookies may be cut into several fields.
    headers.set(name, before === undefined ? value : `${before}${name === "cookie" ? "; " : ", "}${value}`);
  }
  return { pseudo, headers };
}

/** RFC 9297 3.2: a message whose content is capsules says nothing about its content. */
export function checkCapsuleFields({ headers }: Message): void {
  for (const name of ["content-length", "content-type"]) {
    if (headers.has(name)) throw malformed(`field ${name} beside capsules`);
  }
}
