/**
 * What both sides can do (spec 4.2), in the order of the first list. Names that one of them does not know are left
 * out, and so is what comes twice.
 */
export function commonCapabilities(offered: readonly string[], known: readonly string[]): readonly string[] {
  return [...new Set(offered)].filter((name) => known.includes(name));
}
