import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const RESULTS = fileURLToPath(new URL("../results/", import.meta.url));

/**
 * Writes what a run found: raw data as JSON lines, the report, and the plots as SVG and PNG.
 * @param folder below benchmarks/results
 * @param plots Vega-Lite specs by what is put behind the name, empty for the only one
 * @returns the files, relative to benchmarks/results
 */
export async function recordResults(folder, name, { lines, report, plots }) {
  // Loaded only here, for it takes longer than anything else at the start.
  const { renderPlot } = await import("../plot/render-plot.mjs");
  mkdirSync(join(RESULTS, folder), { recursive: true });
  const written = [];
  const write = (file, content) => {
    writeFileSync(join(RESULTS, folder, file), content);
    written.push(`${folder}/${file}`);
  };
  write(`${name}.jsonl`, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  write(`${name}.md`, report);
  for (const [suffix, spec] of Object.entries(plots)) {
    const { svg, png } = await renderPlot(spec);
    write(`${name}${suffix}.svg`, svg);
    write(`${name}${suffix}.png`, png);
  }
  return written;
}
