import { CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";

/** A SHA-256 in hexadecimal, with or without colons, as the option `--cert-hash` takes it. */
export function parseCertificateHash(text: string): string {
  const hex = text.replaceAll(":", "").toLowerCase();
  if (/^[0-9a-f]{64}$/.test(hex)) return hex;
  throw new CliError(
    ExitCode.usage,
    `--cert-hash: expected a SHA-256 in 64 hexadecimal digits, got "${text}"`,
  );
}
