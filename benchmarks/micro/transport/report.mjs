function formatNumber(value) {
  if (value === 0) return "0";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return value.toPrecision(Math.abs(value) >= 10 ? 3 : 2);
}

function formatCell({ value, ratio }) {
  if (value === undefined) return "-";
  const { median, min, max } = value;
  const range = `${formatNumber(median)} (${formatNumber(min)}..${formatNumber(max)})`;
  return ratio === undefined ? range : `${range} = ${ratio.median.toPrecision(3)}`;
}

const line = (cells) => `| ${cells.join(" | ")} |`;

function formatTable(summary, peers) {
  const header = ["", ...peers.map(({ title }) => title), "ratio to", "bounds of quiche"];
  const body = summary
    .filter(({ cells }) => cells.some(({ value }) => value !== undefined))
    .map(({ title, over, cells, verdict }) => [
      title,
      ...cells.map(formatCell),
      over === undefined ? "" : (peers.find(({ name }) => name === over)?.title ?? over),
      verdict ?? "",
    ]);
  return [line(header), line(header.map(() => "---")), ...body.map(line)].join("\n");
}

const joinLoad = (load) => load.join(" ");

/** Problems by peer and measure, each named once with its number of rounds. */
function formatProblems(results) {
  const counts = new Map();
  for (const { peer, measure, error, unsupported } of results) {
    const reason = error === undefined ? unsupported : `failed: ${error}`;
    if (reason === undefined) continue;
    const text = `${peer}, ${measure}: ${reason.split("\n", 1)[0]}`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([text, count]) => `- ${text} (rounds: ${count})`);
}

/** The whole report in Markdown. */
export function formatReport({ environment, run, peers, leftOut, results, summary }) {
  const hasDeno = peers.some(({ name }) => name === "deno");
  const problems = [...leftOut.map(({ peer, reason }) => `- ${peer}: ${reason}`), ...formatProblems(results)];
  return [
    "# Transport benchmark",
    "",
    `Written by \`node benchmarks/micro/transport.mjs --record\`; how it measures is in \`benchmarks/README.md\`.`,
    "",
    `- ${environment.date}, commit ${environment.commit}`,
    `- Node ${environment.node}, ${environment.cpu}, ${environment.cores} cores, Linux ${environment.kernel}`,
    `- Load average before: ${joinLoad(run.loadBefore)}, after: ${joinLoad(run.loadAfter)} (the benchmark's own included)`,
    `- ${run.rounds} rounds of ${run.seconds} s for each number, loopback, client and server in processes of their own`,
    ...(run.note === "" ? [] : [`- ${run.note}`]),
    "",
    "Median (least..greatest) of the rounds `= ` median of the ratios within a round.",
    "`memory` has both ends in one process, on one thread: a ceiling of the interface, not a transport.",
    "",
    formatTable(summary, peers),
    "",
    hasDeno ? formatDenoVerdict(summary) : "Deno's WebTransport was left out.",
    ...(problems.length === 0 ? [] : ["", "Left out, and what failed:", "", ...problems]),
    "",
  ].join("\n");
}

function formatDenoVerdict(summary) {
  const echo = summary.find(({ title }) => title.startsWith("echo"));
  const of = (name) => echo?.cells.find(({ peer }) => peer === name)?.value?.median;
  const [ours, deno] = [of("quiche"), of("deno")];
  if (ours === undefined || deno === undefined) return "Echo beside Deno's: not measured.";
  const verdict = ours > deno ? "above Deno's: reached" : "aim above Deno's: MISSED";
  return `Echo of quiche over Deno's, medians: ${(ours / deno).toFixed(2)}, ${verdict}.`;
}
