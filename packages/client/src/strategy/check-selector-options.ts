import type { SelectorOptions } from "./strategy-api.js";

/** @throws RangeError naming the field */
export function checkSelectorOptions({ candidates, deadlineMs }: SelectorOptions): void {
  if (candidates.length === 0) throw new RangeError("candidates: at least one is needed");
  if (!(deadlineMs > 0)) throw new RangeError(`deadlineMs must be above 0, got ${deadlineMs}`);
  const names = new Set<string>();
  for (const { name, terms, worth = 1 } of candidates) {
    if (names.has(name)) throw new RangeError(`candidates: "${name}" is there twice`);
    names.add(name);
    for (const [term, value] of Object.entries(terms)) {
      if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) {
        throw new RangeError(`candidates: ${term} of "${name}" must be at least 0, got ${value}`);
      }
    }
    if (!(worth >= 0 && worth <= 1))
      throw new RangeError(`candidates: worth of "${name}" must be 0 to 1, got ${worth}`);
  }
}
