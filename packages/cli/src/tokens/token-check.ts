import { timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Authorize, Identity } from "@sluice/server";
import jwt from "jsonwebtoken";
import { digestOf, identityOf, parseTokenTable, type TokenEntry } from "./token-table.js";

/** Where tokens come from; several hold together. */
export interface TokenOptions {
  /** One token for everybody. */
  readonly token: string | undefined;
  /** A file of tokens with names and limits. */
  readonly tokens: string | undefined;
  /** A file with the key of signed tokens. */
  readonly tokenKey: string | undefined;
}

/** The one algorithm: with it nothing in a token says how it is to be checked. */
export const algorithm = "HS256";
/** RFC 7518 3.2: as long as the hash. */
const MIN_KEY_BYTES = 32;

/** Reads what decides who may come in; `undefined` where nothing does and everybody may. */
export async function readTokens({ token, tokens, tokenKey }: TokenOptions): Promise<Authorize | undefined> {
  if (token === undefined && tokens === undefined && tokenKey === undefined) return undefined;
  const table: TokenEntry[] = [];
  if (token !== undefined) table.push({ digest: digestOf(token), identity: { name: "" } });
  if (tokens !== undefined) table.push(...parseTokenTable(await readFile(tokens, "utf8"), tokens));
  const key = tokenKey === undefined ? undefined : await readTokenKey(tokenKey);
  return (given) => findToken(table, given) ?? (key === undefined ? false : readSigned(key, given));
}

/** @throws RangeError naming the option where the key is too short */
export async function readTokenKey(path: string): Promise<Buffer> {
  const key = Buffer.from((await readFile(path, "utf8")).trim(), "utf8");
  if (key.length < MIN_KEY_BYTES) {
    throw new RangeError(
      `--token-key: ${path} has ${key.length} bytes, at least ${MIN_KEY_BYTES} are needed`,
    );
  }
  return key;
}

/** Looks at every entry, and compares digests, so that the time tells neither which one it is nor how much is right. */
function findToken(table: readonly TokenEntry[], given: Uint8Array): Identity | undefined {
  const digest = digestOf(given);
  let found: Identity | undefined;
  for (const entry of table) if (timingSafeEqual(entry.digest, digest)) found = entry.identity;
  return found;
}

/** A JSON Web Token (RFC 7519) with `sub` and `exp`, and limits as they are named in a file of tokens. */
function readSigned(key: Buffer, given: Uint8Array): Identity | false {
  try {
    const claims = jwt.verify(Buffer.from(given).toString("utf8"), key, { algorithms: [algorithm] });
    // Without an end it would hold for ever, whoever finds it.
    if (typeof claims === "string" || claims.exp === undefined || typeof claims.sub !== "string")
      return false;
    return identityOf(claims.sub, claims);
  } catch {
    return false;
  }
}
