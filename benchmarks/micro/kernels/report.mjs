function formatNumber(value) {
  return value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);
}

const formatSpread = ({ median, min, max }) =>
  `${formatNumber(median)} (${formatNumber(min)}..${formatNumber(max)})`;

/** What became of a bound; times are to be short, rates high. */
function judge({ unit, must, aim }, median) {
  if (must === undefined) return "";
  const reaches = (bound) => (unit === "ms" ? median <= bound : median >= bound);
  const bounds = `must ${must}, aim ${aim}`;
  if (!reaches(must)) return `${bounds}: MISSED`;
  return reaches(aim) ? `${bounds}: both reached` : `${bounds}: must reached`;
}

const line = (cells) => `| ${cells.join(" | ")} |`;

/** The whole report in Markdown. */
export function formatReport({ environment, run, rows }) {
  const header = ["", "unit", "simd", "plain", "times as fast", "bounds"];
  return [
    "# Kernel benchmark",
    "",
    "Written by `node benchmarks/micro/kernels.mjs --record`; how it measures is in `benchmarks/README.md`.",
    "",
    `- ${environment.date}, commit ${environment.commit}`,
    `- Node ${environment.node}, ${environment.cpu}, ${environment.cores} cores, Linux ${environment.kernel}`,
    `- Load average before: ${run.loadBefore.join(" ")}, after: ${run.loadAfter.join(" ")} (the benchmark's own included)`,
    `- One thread; ${run.rounds} rounds of ${run.milliseconds} ms for each number`,
    ...(run.note === "" ? [] : [`- ${run.note}`]),
    "",
    "Processor time of one call: median (least..greatest) of the rounds.",
    "",
    line(header),
    line(header.map(() => "---")),
    ...rows.map(({ measure, simd, plain, times }) =>
      line([
        measure.title,
        measure.unit,
        formatSpread(simd),
        formatSpread(plain),
        times.toPrecision(3),
        judge(measure, simd.median),
      ]),
    ),
    "",
  ].join("\n");
}
