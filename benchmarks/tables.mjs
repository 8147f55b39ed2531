// How figures are written in reports.

/** A Markdown table. */
export function formatTable(head, rows) {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** A number with a fixed number of decimals, `-` where there is none; never a negative zero. */
export function fixed(value, decimals) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "-";
  const text = value.toFixed(decimals);
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text;
}

/** A share of 0 to 1, as `12.3 %`. */
export const percent = (share, decimals = 1) => `${fixed(100 * share, decimals)} %`;

/** Items by a key, in the order in which they come. @returns {Map} */
export function groupBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
