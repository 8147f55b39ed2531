/**
 * Parses a share: a percentage such as `3%`, or a fraction such as `0.03`. `1` is everything, `1%` is a hundredth.
 * @returns a number from 0 to 1.
 * @throws RangeError that names `field`.
 */
export function parsePercentOrFraction(text: string, field = "fraction"): number {
  const match = /^(\d+(?:\.\d+)?|\.\d+) ?(%?)$/.exec(text.trim());
  const value = match === null ? Number.NaN : Number(match[1]) / (match[2] === "%" ? 100 : 1);
  if (!(value >= 0 && value <= 1)) {
    throw new RangeError(
      `${field}: expected a percentage such as 3% or a fraction from 0 to 1, got "${text}"`,
    );
  }
  return value;
}
