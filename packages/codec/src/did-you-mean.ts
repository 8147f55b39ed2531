/** Edits (insert, delete, replace) from one word to another (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}

/** Says that a word is unknown, which of the known ones it may stand for, and which there are. */
export function describeUnknown(what: string, word: string, known: readonly string[]): string {
  const nearest = known
    .map((name) => ({ name, edits: distance(word, name) }))
    .reduce((best, next) => (next.edits < best.edits ? next : best), { name: "", edits: 4 });
  const hint =
    nearest.name !== "" && nearest.edits < nearest.name.length ? `, did you mean ${nearest.name}?` : "";
  return `unknown ${what} ${JSON.stringify(word)}${hint} (known: ${known.join(", ") || "none"})`;
}
