import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { parseDurationMs } from "@sluice/simnet";
import type { Command } from "commander";
import jwt from "jsonwebtoken";
import type { CliContext } from "../cli-context.js";
import { asUsage } from "../cli-error.js";
import { parseCount } from "../parse-count.js";
import { algorithm, readTokenKey } from "./token-check.js";

interface TokenCommandOptions {
  readonly tokenKey: string;
  readonly name?: string;
  readonly expires: number;
  readonly newKey?: true;
  readonly maxSessions?: number;
  readonly fpsLimit?: number;
  readonly bytesLimit?: number;
}

const limit = (option: string) => (text: string) => parseCount(text, option, 1, 2 ** 32 - 1);

/** Registers `sluice token`. */
export function registerToken(program: Command, context: CliContext): void {
  program
    .command("token")
    .description("Sign a token that lets a client in until it expires, with limits of its own.")
    .requiredOption("--token-key <file>", "the key that `sluice serve --token-key` checks with")
    .option("--new-key", "make the key first, in a file that must not exist yet")
    .option("--name <text>", "who the client is; stands in the server's log")
    .option(
      "--expires <time>",
      "how long it holds, such as 30min or 24h",
      (text) => asUsage(() => parseDurationMs(text, "--expires")),
      24 * 3_600_000,
    )
    .option("--max-sessions <n>", "sessions that the client may have at once", limit("--max-sessions"))
    .option("--fps-limit <n>", "frames per second of each session", limit("--fps-limit"))
    .option("--bytes-limit <n>", "bytes of tensors per second of each session", limit("--bytes-limit"))
    .addHelpText(
      "after",
      `
Prints the token, a JSON Web Token signed with HMAC-SHA256, on stdout. Who has the key can make any token: keep it where
the certificate's key is. A token cannot be called back; let it be short.

Example:
  $ sluice token --token-key token.key --new-key --name camera-7 --expires 8h --fps-limit 30`,
    )
    .action(async (options: TokenCommandOptions) => {
      const { tokenKey, newKey, name, expires, maxSessions, fpsLimit, bytesLimit } = options;
      if (newKey) {
        await writeFile(tokenKey, `${randomBytes(48).toString("base64url")}\n`, { flag: "wx", mode: 0o600 });
        context.stderr.write(`a new key is in ${tokenKey}\n`);
      }
      if (name === undefined) {
        if (newKey) return;
        throw new RangeError("--name: who is the token for?");
      }
      const claims = {
        ...(maxSessions === undefined ? {} : { "max-sessions": maxSessions }),
        ...(fpsLimit === undefined ? {} : { "fps-limit": fpsLimit }),
        ...(bytesLimit === undefined ? {} : { "bytes-limit": bytesLimit }),
      };
      const seconds = Math.max(1, Math.round(expires / 1_000));
      const token = jwt.sign(claims, await readTokenKey(tokenKey), {
        ...{ algorithm, subject: name, expiresIn: seconds },
      });
      context.stdout.write(`${token}\n`);
    });
}
