const MILLISECONDS: ReadonlyMap<string, number> = new Map([
  ["us", 1e-3],
  ["ms", 1],
  ["s", 1e3],
  ["min", 60e3],
  ["h", 3_600e3],
]);

/**
 * Parses a duration such as `20ms`, `1.5s`, `250us`, `2min` or `8h`; a bare number is milliseconds.
 * @returns milliseconds, at least 0.
 * @throws RangeError that names `field`.
 */
export function parseDurationMs(text: string, field = "duration"): number {
  const match = /^(\d+(?:\.\d+)?) ?(us|ms|s|min|h)?$/.exec(text.trim());
  const durationMs =
    match === null ? Number.NaN : Number(match[1]) * (MILLISECONDS.get(match[2] ?? "ms") ?? Number.NaN);
  if (!Number.isFinite(durationMs)) {
    throw new RangeError(`${field}: expected a duration such as 20ms, 1.5s or 250us, got "${text}"`);
  }
  return durationMs;
}
