/** Of one slice that was encoded, or that was too long: bytes that it takes, as a share of what fits into a payload. */
export type SliceNeed = number;

/** What the same units may take in another cut, beyond what this one suggests. */
const margin = 1.02;

/**
 * How many slices of equal counts to try next, given what each of `needs.length` such slices takes: the number for which
 * they and the parts of those that are too long are fewest.
 *
 * Slices of a variable-rate codec that begin where the last one ended, each as long as it may be, are no better: a slice
 * of U / c units can begin at about c places only (spec 5.2).
 * @param least the fewest that are allowed
 * @param most the units
 */
export function chooseSliceCount(needs: readonly SliceNeed[], least: number, most: number): number {
  const tried = needs.length;
  const total = needs.reduce((sum, need) => sum + need, 0);
  const from = Math.min(most, Math.max(1, least, Math.floor(total)));
  const to = Math.max(from, Math.min(most, Math.ceil(tried * margin * Math.max(...needs)) + 1));
  let best = { count: from, slices: Number.POSITIVE_INFINITY };
  for (let count = from; count <= to; count++) {
    const scale = (margin * tried) / count;
    let slices = count;
    for (const need of needs) if (need * scale > 1) slices += (count / tried) * (splitInto(need * scale) - 1);
    if (slices < best.slices - 1e-9) best = { count, slices };
  }
  return best.count;
}

/** Parts that a slice is split into which takes so much. */
function splitInto(need: number): number {
  return 2 ** Math.ceil(Math.log2(need));
}
