import { escapeSymbol, intervalBits, rowCount } from "../entropy-format.js";
import { frequencySymbols } from "../frequency-table.js";
import { scaleOffset } from "../sluice-plan.js";

/** How often each coefficient of a block had each magnitude in steps (the last one: or more), and their mean. */
export interface CoefficientHistogram {
  /** For each coefficient and symbol. */
  readonly counts: Uint32Array;
  /** For each coefficient, before it was rounded. */
  readonly mean: Float64Array;
}

/** Above this mean, in steps, and where a coefficient never was but 0, the mean decides instead of the counts. */
const largestCounted = 3;

/**
 * The stored scale of each coefficient: the row of probabilities that takes the fewest bits for what was seen.
 */
export function fitScales({ counts, mean }: CoefficientHistogram): Uint8Array {
  return Uint8Array.from(mean, (average, i) => {
    if (!(average > 0)) return 0;
    const seen = counts.subarray(i * frequencySymbols, (i + 1) * frequencySymbols);
    const isCounted = average <= largestCounted && seen.some((count, symbol) => symbol > 0 && count > 0);
    const byMean = Math.round(rowOfMean(average));
    const row = isCounted ? bestRow(seen) : average > largestCounted ? byMean : Math.min(byMean, 0);
    return Math.min(255, Math.max(1, row + scaleOffset));
  });
}

/** The row of a mean magnitude of so many steps (spec 6.11). */
function rowOfMean(mean: number): number {
  return 32 + 8 * Math.log2(mean);
}

/** Bits of an average rest of a magnitude that is beyond the table. */
const restBits = 6;

/** Bits of a magnitude in a row's distribution, with its sign. */
function bitsOfSymbol(row: number, symbol: number): number {
  const bits = intervalBits[row * frequencySymbols + symbol]!;
  return bits + (symbol > 0 ? 1 : 0) + (symbol === escapeSymbol ? restBits : 0);
}

function bestRow(seen: Uint32Array): number {
  let best = 0;
  let fewest = Number.POSITIVE_INFINITY;
  for (let row = 0; row < rowCount; row++) {
    let bits = 0;
    for (let symbol = 0; symbol < frequencySymbols; symbol++)
      bits += seen[symbol]! * bitsOfSymbol(row, symbol);
    if (bits < fewest) {
      fewest = bits;
      best = row;
    }
  }
  return best;
}
