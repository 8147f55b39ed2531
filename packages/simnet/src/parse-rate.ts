const BITS: ReadonlyMap<string, number> = new Map([
  ["bit", 1],
  ["kbit", 1e3],
  ["mbit", 1e6],
  ["gbit", 1e9],
]);

/**
 * Parses a rate such as `20mbit`, `500kbit`, `1.5 Mbit/s` or `unlimited`. The unit is needed: a bare number could be
 * bits or bytes. `bit`, `kbit`, `mbit` and `gbit` are powers of 1,000 as in tc(8), in any case.
 * @returns bits per second, above 0; `undefined` for `unlimited`.
 * @throws RangeError that names `field`.
 */
export function parseRate(text: string, field = "rate"): number | undefined {
  const trimmed = text.trim().toLowerCase();
  if (trimmed === "unlimited") return undefined;
  const match = /^(\d+(?:\.\d+)?) ?([kmg]?bit)(?:\/s)?$/.exec(trimmed);
  const bitsPerSecond = match === null ? Number.NaN : Number(match[1]) * (BITS.get(match[2]!) ?? Number.NaN);
  if (!(bitsPerSecond > 0 && bitsPerSecond < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`${field}: expected a rate such as 20mbit, 500kbit or unlimited, got "${text}"`);
  }
  return bitsPerSecond;
}
