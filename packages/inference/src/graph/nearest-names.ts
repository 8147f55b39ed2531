/** Longer names are not compared: the effort grows with the product of the lengths. */
const maxComparedLength = 128;
const maxCompared = 20_000;

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replace, previous[j]! + 1, current[j - 1]! + 1));
    }
    previous = current;
  }
  return previous[b.length]!;
}

/** The candidates that are most like a misspelt name, best first: those that hold it or are few edits away. */
export function nearestNames(name: string, candidates: Iterable<string>, count = 3): string[] {
  const wanted = name.slice(0, maxComparedLength).toLowerCase();
  const scored: { readonly candidate: string; readonly distance: number }[] = [];
  for (const candidate of candidates) {
    if (scored.length === maxCompared) break;
    const other = candidate.slice(0, maxComparedLength).toLowerCase();
    const holds =
      wanted.length > 1 && (other.includes(wanted) || (other.length > 1 && wanted.includes(other)));
    const distance = editDistance(wanted, other);
    scored.push({ candidate, distance: holds ? distance / 4 : distance });
  }
  return scored
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ candidate }) => candidate);
}
