import { CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";

/**
 * Reads a whole number in decimal digits.
 * @param option names the culprit
 * @throws CliError `usage` where it is not one of `from`..`to`
 */
export function parseCount(text: string, option: string, from = 1, to = Number.MAX_SAFE_INTEGER): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= from && value <= to)) {
    const range = to === Number.MAX_SAFE_INTEGER ? `from ${from}` : `from ${from} to ${to}`;
    throw new CliError(ExitCode.usage, `${option}: expected a whole number ${range}, got "${text}"`);
  }
  return value;
}
