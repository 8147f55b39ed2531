// How the frames clear of the machine's slow moments fared, where a run knows them.
import { slowMomentsText } from "../../pace/slow-moments.mjs";
import { formatTable, groupBy } from "../../tables.mjs";
import { overRounds } from "../commands/over-rounds.mjs";
import { milliseconds, percent, titleOf } from "../commands/report-cells.mjs";

function row(cells) {
  const [{ bytes, loss }] = cells;
  const of = (pick, format) => overRounds(cells.map(pick), format);
  return [
    `${bytes.toLocaleString("en")} B, ${percent(loss)} %`,
    titleOf(cells[0]),
    of(({ slow }) => slow.share, percent),
    of(({ figures }) => figures.inTime, percent),
    of(({ slow }) => slow.clear.inTime, percent),
    of(({ figures }) => figures.p99Ms ?? Number.NaN, milliseconds),
    of(({ slow }) => slow.clear.p99Ms ?? Number.NaN, milliseconds),
  ];
}

/** A table with a row for each system and condition; undefined where no cell knows of slow moments. */
export function formatSlowMoments({ cells }) {
  const known = cells.filter(({ figures, slow }) => figures !== undefined && slow !== undefined);
  if (known.length === 0) return undefined;
  const groups = groupBy(known, ({ variant, bytes, loss }) => `${variant} ${bytes} ${loss}`);
  const head = ["tensors, loss", "system", "slow time, %", "in time, %", "clear", "p99 ms", "clear"];
  return [`${slowMomentsText}\n`, formatTable(head, [...groups.values()].map(row))].join("\n");
}
