import { fixed, formatTable, groupBy } from "../tables.mjs";

/** Markdown, from the lines of a run. */
export function formatReport({ environment, run, lines }) {
  const parts = [
    "# Providers benchmark",
    "Written by `node benchmarks/providers.mjs --record`; how it measures is in `benchmarks/README.md`.",
    [
      `- ${environment.date}, commit ${environment.commit}`,
      `- Node ${environment.node}, ${environment.cpu}, ${environment.cores} cores, Linux ${environment.kernel}`,
      `- Load average before: ${run.loadBefore.join(" ")}, after: ${run.loadAfter.join(" ")} (the benchmark's own included)`,
      `- ${run.seconds} s for each batch size, the providers in turns; ${run.threads} threads of the processor`,
      ...(run.note ? [`- ${run.note}`] : []),
    ].join("\n"),
    "Milliseconds; in brackets the quartiles. How far values are from those of the first provider is a share of the largest one.",
  ];
  for (const [model, ofModel] of groupBy(lines, (line) => line.model)) {
    parts.push(`## ${model}`);
    const measured = ofModel.filter(({ obstacle }) => obstacle === undefined);
    if (measured.length > 0)
      parts.push(
        formatTable(
          ["at once", "provider", "a run", "a frame", "the first run", "differs by"],
          measured.map((line) => [
            line.frames,
            line.provider,
            `${fixed(line.medianMs, 2)} (${fixed(line.lowerMs, 2)} to ${fixed(line.upperMs, 2)})`,
            fixed(line.medianMs / line.frames, 3),
            fixed(line.firstMs, 0),
            line.provider === run.providers[0] ? "" : line.difference.toExponential(1),
          ]),
        ),
      );
    for (const { provider, obstacle } of ofModel)
      if (obstacle !== undefined) parts.push(`${provider}: ${obstacle}`);
  }
  return `${parts.join("\n\n")}\n`;
}
