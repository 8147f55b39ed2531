// The report, from what was recorded: pure text.

import { formatTable } from "../../tables.mjs";
import { formatEndToEnd } from "../commands/end-to-end-report.mjs";
import { formatImpaired } from "../commands/impaired-report.mjs";
import { formatFailures, formatLoopback } from "../commands/loopback-report.mjs";
import { formatScale } from "../commands/scale-report.mjs";
import { checkBounds } from "./bounds.mjs";
import { formatSlowMoments } from "./slow-moments.mjs";
import { formatWhereWeLose } from "./where-we-lose.mjs";

function formatBounds(records) {
  return formatTable(
    ["", "Sluice", "best peer", "must", "aim", ""],
    checkBounds(records).map(({ title, ours, best, must, aim, verdict }) => [
      ...[title, ours, best, must, aim, verdict],
    ]),
  );
}

/** Machine and settings of a record in one line. */
function describeRun(name, { header, cells }) {
  const { environment, seed, seconds, rounds } = header;
  const loads = cells.map(({ load }) => load).filter((load) => Number.isFinite(load));
  const settings = [
    `seed ${seed}`,
    `${seconds} s a cell`,
    ...(rounds === undefined ? [] : [`${rounds} ${rounds === 1 ? "round" : "rounds"}`]),
    `load ${Math.min(...loads)} to ${Math.max(...loads)} (the benchmark's own included)`,
  ];
  const machine = `${environment.cpu}, ${environment.cores} cores, Node ${environment.node}, Linux ${environment.kernel}`;
  return `- ${name}: ${environment.date}, commit ${environment.commit}; ${machine}; ${settings.join(", ")}`;
}

/** What each system is, by what its module says of itself. */
function describeSystems(records) {
  const abouts = new Map();
  for (const { cells } of Object.values(records)) {
    for (const { name, about } of cells) if (about !== undefined) abouts.set(name, about);
  }
  return [...abouts].map(([name, about]) => `- \`${name}\`: ${about}`);
}

const plotLine = (plots, names) =>
  names.filter((name) => plots.includes(name)).map((name) => `![${name}](peers/${name}.svg)`);

function section(title, intro, body, plots) {
  return ["", `## ${title}`, "", intro, "", ...plots, ...(plots.length > 0 ? [""] : []), body.trimEnd()];
}

/**
 * @param records `{ header, cells }` by command, those that were recorded
 * @param plots names of the plots that there are
 */
export function composeReport(records, plots) {
  const { impaired, bounds, loopback, scale } = records;
  const endToEnd = records["end-to-end"];
  const lines = [
    "# Sluice beside what people use today",
    "",
    "Written by `node benchmarks/peers.mjs report` from the JSON lines in `peers/`; how it measures is in",
    "`benchmarks/README.md`. Every figure is the median of the rounds, with least and greatest in brackets. The peers over",
    "TCP send without TLS; Sluice, Deno and the data channel encrypt.",
    "",
    ...Object.entries(records).map(([name, record]) => describeRun(name, record)),
    "",
    "## What has to hold",
    "",
    formatBounds(records),
  ];
  const slow = bounds && formatSlowMoments(bounds);
  if (slow !== undefined) lines.push("", "### Clear of what the machine did", "", slow);
  if (impaired !== undefined) {
    const intro =
      "A link between two network namespaces, TCP and UDP alike: 20 Mbit/s, 20 ms each way, a queue of 100 ms; 30 tensors a second, the same number under way at most for all.";
    const drawn = plotLine(plots, ["impaired-5120", "impaired-100352"]);
    lines.push(...section("Over a narrow, lossy link", intro, formatImpaired(impaired), drawn));
    lines.push("", ...formatFailures(impaired.cells));
  }
  if (endToEnd !== undefined) {
    const intro =
      "MobileNetV2 cut at `add_3`, 30 frames a second over 2 Mbit/s, 2 % loss each way. What counts is a right answer within 150 ms.";
    lines.push(...section("The same inference task", intro, formatEndToEnd(endToEnd), []));
    lines.push("", ...formatFailures(endToEnd.cells));
  }
  if (loopback !== undefined) {
    const intro = "Client and server on one machine, as fast as answers come.";
    const drawn = plotLine(plots, ["loopback-1", "loopback-8"]);
    lines.push(...section("On loopback", intro, formatLoopback(loopback), drawn));
    lines.push("", "### Where others are faster", "", formatWhereWeLose(loopback));
  }
  if (scale !== undefined) {
    const intro = "One thing grows, the others stay.";
    const drawn = plotLine(plots, ["scale-sessions", "scale-bytes", "scale-loss", "scale-rttMs"]);
    lines.push(...section("How cost grows with work", intro, formatScale(scale), drawn));
  }
  lines.push("", "## The systems", "", ...describeSystems(records), "");
  return lines.join("\n").replaceAll(/\n{3,}/g, "\n\n");
}
