/** Edits beyond which two names have nothing to do with each other. */
const MAX_EDITS = 3;

/** The name that `text` most likely stands for: the one with the fewest edits, or `undefined` where all are far. */
export function closestName(text: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let fewest = MAX_EDITS + 1;
  for (const name of names) {
    const edits = countEdits(text.slice(0, 64).toLowerCase(), name);
    // Half of the letters must stay.
    if (edits < fewest && edits <= name.length / 2) {
      best = name;
      fewest = edits;
    }
  }
  return best;
}

/** Levenshtein distance: letters to insert, remove or replace. */
function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
