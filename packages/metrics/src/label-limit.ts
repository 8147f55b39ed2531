/** What stands for values that are not taken as labels. */
export const OTHER = "other";

/** Words in lower case with digits, `-` and `_`: what a reason or a code looks like. */
const LABEL = /^[a-z0-9][a-z0-9_-]{0,47}$/;

/**
 * Returns a function that passes a label value on, or {@link OTHER} instead: for values that do not look like a
 * reason, and for new ones once `maxValues` are known. Every value of a label is a time series of its own, kept for
 * good, so a peer must not be able to invent them.
 */
export function createLabelLimit(
  maxValues: number,
  known: readonly string[] = [],
): (value: string) => string {
  const values = new Set(known);
  return (value) => {
    if (values.has(value)) return value;
    if (values.size >= maxValues || !LABEL.test(value)) return OTHER;
    values.add(value);
    return value;
  };
}
