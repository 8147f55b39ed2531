import { formatTable, percent } from "../tables.mjs";
import { cellName, deadlineMs, framesPerSecond, link } from "./cells.mjs";

const twoDecimals = (share) => percent(share, 2);
const ms = (value) => (value === undefined ? "-" : value.toFixed(1));

function row({ cell, figures, missed }) {
  return [
    cellName(cell),
    `${figures.admitted} of ${figures.offered}`,
    twoDecimals(figures.onTimeShare),
    `${ms(figures.p50Ms)} / ${ms(figures.p99Ms)}`,
    twoDecimals(figures.meanReceived),
    twoDecimals(figures.wholeShare),
    twoDecimals(figures.completeShare),
    (figures.goodputBitsPerSecond / 1e6).toFixed(2),
    missed.length > 0 ? `MISSED: ${missed.join(", ")}` : "reached",
  ];
}

function table(results) {
  const head = [
    ...["tensors and loss, each way", "admitted", "of these on time", "p50 / p99 ms", "elements received"],
    ...["on time with 90 % of the elements", "on time with all", "goodput, Mbit/s", "bounds"],
  ];
  return formatTable(head, results.map(row));
}

export function formatReport({ environment, options, load, results, core }) {
  const kinds = [
    ["simulated", "Simulated: the two cores on virtual time over seeded links"],
    ["real", "Real: client library, engine `quiche`, UDP relay and server, three processes on loopback"],
  ];
  const parts = kinds
    .filter(([kind]) => results.some((result) => result.kind === kind))
    .map(([kind, title]) => `## ${title}\n\n${table(results.filter((result) => result.kind === kind))}\n`);
  const { rateBitsPerSecond, delayMs, queueMs, mtuBytes } = link;
  return `# Link benchmark

Written by \`node benchmarks/link.mjs --record\`; how it measures is in \`benchmarks/README.md\`.

- ${environment.date}, commit ${environment.commit}
- Node ${environment.node}, ${environment.cpu}, ${environment.cores} cores, Linux ${environment.kernel}
- Load average before: ${load.before.join(" ")}, after: ${load.after.join(" ")} (the benchmark's own included)
- Link: ${rateBitsPerSecond / 1e6} Mbit/s, ${delayMs} ms, ${queueMs} ms queue, packets of ${mtuBytes.toLocaleString("en")} B, each way; ${framesPerSecond} tensors a second
  for ${options.seconds} s, deadline ${deadlineMs} ms; seed ${options.seed}${options.note ? `\n- ${options.note}` : ""}

${parts.join("\n")}${
  core === undefined
    ? ""
    : `
## The core alone

Cut, frame, parse and reassemble tensors of 401,408 B in datagrams of 1,200 B on one core: median
${core.median.toFixed(0)} MB/s (${core.least.toFixed(0)} to ${core.greatest.toFixed(0)} in ${core.rounds} rounds), bound 400 MB/s: ${core.median >= 400 ? "reached" : "MISSED"}.
`
}`;
}
