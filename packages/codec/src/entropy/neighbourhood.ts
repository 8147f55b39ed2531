import type { Symbols } from "@sluice/tensor";

/** Symbols around an element that came before it in its channel and its slice (spec 6.10). */
export interface Neighbourhood {
  /** The mean of what is around, weighted 2, 2, 1, 1 and rounded. */
  mean: number;
  /** Differences between what is around, added up. */
  activity: number;
}

/**
 * Looks at the neighbours of the symbol at `at` of a slice, which stands in a row and column of its channel.
 * @param symbols those of the slice; only the ones in front of `at` are read
 */
export function lookAround(
  symbols: Symbols,
  at: number,
  row: number,
  column: number,
  columns: number,
  levels: number,
  result: Neighbourhood,
): void {
  const hasLeft = column > 0 && at >= 1;
  const isBelow = row > 0;
  const hasUp = isBelow && at >= columns;
  if (!hasLeft && !hasUp) {
    result.mean = levels >> 1;
    result.activity = 0;
    return;
  }
  const left = hasLeft ? symbols[at - 1]! : symbols[at - columns]!;
  const up = hasUp ? symbols[at - columns]! : left;
  const corner = isBelow && column > 0 && at > columns ? symbols[at - columns - 1]! : (left + up) >> 1;
  const next = isBelow && column < columns - 1 && at >= columns - 1 ? symbols[at - columns + 1]! : up;
  result.mean = Math.floor((2 * left + 2 * up + corner + next + 3) / 6);
  result.activity = Math.abs(left - corner) + Math.abs(up - corner) + Math.abs(up - next);
}
