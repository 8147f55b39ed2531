import { groupBy } from "../../tables.mjs";
import { overRounds } from "./over-rounds.mjs";
import { percent, titleOf } from "./report-cells.mjs";

const payloadTitles = {
  float32: "float32",
  uint8: "uint8",
  deflated: "uint8, deflated",
  sluice: "codec `sluice`",
};

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Rows of one system and payload, best first. */
function rowsOf(cells) {
  const groups = groupBy(cells, groupKey);
  return [...groups.values()]
    .map((group) => ({ group, score: mean(group.map(({ score }) => score.correctPerSecond)) }))
    .sort((a, b) => b.score - a.score)
    .map(({ group }) => row(group));
}

const groupKey = ({ variant, payload, cap }) => `${variant} ${payload} ${cap}`;

function row(group) {
  const [first] = group;
  const of = (pick, format) => overRounds(group.map(pick), format);
  const whole = (value) => Math.round(value).toLocaleString("en");
  const columns = [
    titleOf(first),
    payloadTitles[first.payload],
    first.cap,
    of(
      ({ score }) => score.correctPerSecond,
      (value) => value.toFixed(2),
    ),
    of(({ score }) => score.bytesPerCorrect ?? Number.NaN, whole),
    of(({ figures }) => figures.inTime, percent),
    of(({ figures }) => figures.p50Ms ?? Number.NaN, whole),
    of(({ figures }) => figures.p99Ms ?? Number.NaN, whole),
  ];
  return `| ${columns.join(" | ")} |`;
}

/** How many times the best peer's correct answers Sluice gives; Infinity where no peer gives any. */
export function advantage(cells) {
  const best = (some) => Math.max(0, ...some.map(({ score }) => score.correctPerSecond));
  const isOurs = ({ payload }) => payload === "sluice";
  return best(cells.filter(isOurs)) / best(cells.filter((cell) => !isOurs(cell)));
}

/** The table of the end-to-end form. */
export function formatEndToEnd({ cells }) {
  const measured = cells.filter(({ score }) => score !== undefined);
  return [
    "| system | carries | at most under way | correct answers in time, a second | bytes up for each | in time, % of offered | p50 ms | p99 ms |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ...rowsOf(measured),
    "",
  ].join("\n");
}
