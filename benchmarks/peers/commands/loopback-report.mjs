import { systems } from "../systems/index.mjs";
import { inFlights, sizes } from "./loopback-cells.mjs";
import { overRounds, threeDigits } from "./over-rounds.mjs";

/** Columns of the table: what of a result they show. */
const columns = [
  ["frames/s", ({ framesPerSecond }) => framesPerSecond],
  ["MB/s", ({ megabytesPerSecond }) => megabytesPerSecond],
  ["p50 ms", ({ p50Ms }) => p50Ms],
  ["p99 ms", ({ p99Ms }) => p99Ms],
  ["CPU s per GB", ({ cpuSecondsPerGB }) => cpuSecondsPerGB],
  ["CPU s per 1,000", ({ cpuSecondsPer1000Frames }) => cpuSecondsPer1000Frames],
  ["MB client", ({ rssMB }) => rssMB.client],
  ["MB server", ({ rssMB }) => rssMB.server],
];

const count = (results, field) => results.reduce((sum, result) => sum + result[field], 0);

/** What did not come whole and right, by name; a dash where all did. */
function describeLosses(results) {
  const lost = ["wrong", "damaged", "dropped", "failed", "unanswered"]
    .map((field) => [count(results, field), field])
    .filter(([number]) => number > 0)
    .map(([number, field]) => `${number} ${field}`);
  return lost.length === 0 ? "–" : `${lost.join(", ")} of ${count(results, "answered")}`;
}

/** Results of one system, size and number in flight, one for each round. */
export function resultsOf(cells, { name, bytes, inFlight }) {
  return cells
    .filter((cell) => cell.name === name && cell.bytes === bytes && cell.results !== undefined)
    .flatMap(({ results }) => results.filter((result) => result.inFlight === inFlight));
}

function formatTable(cells, names, bytes, inFlight) {
  const rows = names.flatMap((name) => {
    const results = resultsOf(cells, { name, bytes, inFlight });
    if (results.length === 0) return [];
    const values = columns.map(([, pick]) => overRounds(results.map(pick), threeDigits));
    return `| ${[systems[name].title, ...values, describeLosses(results)].join(" | ")} |`;
  });
  if (rows.length === 0) return [];
  const head = ["system", ...columns.map(([title]) => title), "not whole"];
  return [
    `### ${bytes.toLocaleString("en-US")} B, ${inFlight} in flight`,
    "",
    `| ${head.join(" | ")} |`,
    `| ${head.map(() => "---").join(" | ")} |`,
    ...rows,
    "",
  ];
}

/** Ratios to raw UDP within the same round, so that what slows the machine for a while cancels out. */
export function echoRatios(cells, name) {
  const rateIn = (round, carrier) =>
    cells.find((cell) => cell.kind === "echo" && cell.name === carrier && cell.round === round)
      ?.echoesPerSecond;
  const rounds = [...new Set(cells.map(({ round }) => round))];
  return rounds
    .map((round) => rateIn(round, name) / rateIn(round, "udp"))
    .filter((ratio) => Number.isFinite(ratio));
}

function formatEcho(cells) {
  const echoes = cells.filter(({ kind, error }) => kind === "echo" && error === undefined);
  const names = [...new Set(echoes.map(({ name }) => name))];
  if (names.length === 0) return [];
  const rows = names.map((name) => {
    const mine = echoes.filter((cell) => cell.name === name);
    const values = [
      overRounds(
        mine.map(({ echoesPerSecond }) => echoesPerSecond),
        threeDigits,
      ),
      overRounds(echoRatios(cells, name), (ratio) => ratio.toFixed(2)),
      overRounds(
        mine.map(({ cpuSecondsPer1000 }) => cpuSecondsPer1000),
        threeDigits,
      ),
    ];
    return `| ${[mine[0].title, ...values].join(" | ")} |`;
  });
  return [
    "### Echo of datagrams of 1,200 B, 64 in flight",
    "",
    "| transport | datagrams/s | of raw UDP | CPU s per 1,000 |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
  ];
}

/** Failed cells, each reason once. */
export function formatFailures(cells) {
  const texts = cells
    .filter(({ error }) => error !== undefined)
    .map(({ key, error }) => `- ${key}: ${error}`);
  return texts.length === 0 ? [] : ["What failed:", "", ...texts, ""];
}

/** Tables of the loopback form. */
export function formatLoopback({ cells }) {
  const names = Object.keys(systems);
  const tables = sizes.flatMap((bytes) =>
    inFlights.flatMap((inFlight) => formatTable(cells, names, bytes, inFlight)),
  );
  return [...tables, ...formatEcho(cells), ...formatFailures(cells)].join("\n");
}
