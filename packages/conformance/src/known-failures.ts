/** Lists of cases that are known to fail: one pattern a line, `*` for any characters, `#` begins a comment. */
export function parseKnownFailures(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.replace(/#.*$/, "").trim())
    .filter((line) => line !== "");
}

/** Whether an id is what a pattern with `*` describes. */
export function matchesGlob(pattern: string, id: string): boolean {
  const expression = pattern
    .split("*")
    .map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"))
    .join(".*");
  return new RegExp(`^${expression}$`).test(id);
}
