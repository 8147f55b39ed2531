import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { ModelError } from "./model-error.js";

/** More classes than any classifier has. */
const maxLabels = 1 << 20;

/** Rows of a table with a header line, columns divided by tabs. */
export function parseTable(text: string): Record<string, string>[] {
  const [header = "", ...lines] = text.split(/\r?\n/);
  const columns = header.split("\t");
  return lines
    .filter((line) => line !== "")
    .map((line) => {
      const cells = line.split("\t");
      return Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? ""]));
    });
}

/** A class index written in a table. @throws ModelError `unreadable` */
export function parseClassIndex(text: string | undefined, path: string): number {
  const index = /^\d{1,7}$/.test(text ?? "") ? Number(text) : -1;
  if (index < 0 || index >= maxLabels) {
    throw new ModelError(
      "unreadable",
      `${path}: column "index" must be an integer of 0..${maxLabels - 1}, got "${text}"`,
    );
  }
  return index;
}

function parseJsonLabels(text: string, path: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ModelError("unreadable", `${path}: is not JSON`, { cause });
  }
  if (!Array.isArray(value) || !value.every((label): label is string => typeof label === "string")) {
    throw new ModelError("unreadable", `${path}: must be a list of strings`);
  }
  return value;
}

/**
 * Reads class names in the order of their indices: from a JSON list, from a table (.tsv) with the columns `index` and
 * `name`, or from text with one name a line. Indices that a table leaves out get their number as a name.
 * @throws ModelError `not-found`, `unreadable`
 */
export async function readLabels(path: string): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new ModelError("not-found", `labels: cannot read ${path}`, { cause });
  }
  const kind = extname(path).toLowerCase();
  if (kind === ".json") return parseJsonLabels(text, path);
  if (kind !== ".tsv") return text.split(/\r?\n/).filter((line) => line !== "");
  const labels: string[] = [];
  for (const row of parseTable(text)) {
    const index = parseClassIndex(row.index, path);
    while (labels.length <= index) labels.push(String(labels.length));
    labels[index] = row.name ?? String(index);
  }
  return labels;
}
