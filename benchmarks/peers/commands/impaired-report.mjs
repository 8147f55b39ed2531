import { conditions, lossName, sizes, variantsOf } from "./impaired-cells.mjs";
import { overRounds } from "./over-rounds.mjs";
import { milliseconds, percent, titleOf } from "./report-cells.mjs";

function row(variant, cells) {
  const measured = cells.filter(({ figures }) => figures !== undefined);
  if (measured.length === 0) return undefined;
  const of = (pick, format) => overRounds(measured.map(pick), format);
  const columns = [
    titleOf(variant),
    of(({ figures }) => figures.inTime, percent),
    of(({ figures }) => figures.usable, percent),
    of(({ figures }) => figures.complete, percent),
    of(({ figures }) => figures.elementShare ?? Number.NaN, percent),
    of(({ figures }) => figures.p50Ms ?? Number.NaN, milliseconds),
    of(({ figures }) => figures.p99Ms ?? Number.NaN, milliseconds),
    of(
      ({ bytesPerFrame }) => bytesPerFrame.up,
      (value) => Math.round(value).toLocaleString("en"),
    ),
    of(
      ({ bytesPerFrame }) => bytesPerFrame.down,
      (value) => Math.round(value).toLocaleString("en"),
    ),
  ];
  return `| ${columns.join(" | ")} |`;
}

const HEAD = [
  "| system | in time, % of offered | with 90 % of elements | complete | elements, % | p50 ms | p99 ms | bytes up a frame | down |",
  "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
];

/** Tables of the impaired form: one for each size and kind of loss. */
export function formatImpaired({ cells }) {
  const names = [...new Set(cells.map(({ name }) => name))];
  const parts = [];
  for (const bytes of sizes) {
    for (const condition of conditions) {
      const rows = variantsOf(names).flatMap((variant) => {
        const mine = cells.filter(
          (cell) =>
            cell.bytes === bytes &&
            cell.variant === variant.variant &&
            cell.loss === condition.loss &&
            cell.burst === condition.burst,
        );
        return row(variant, mine) ?? [];
      });
      if (rows.length === 0) continue;
      const heading = `### ${bytes.toLocaleString("en")} B, ${lossName(condition)}`;
      parts.push([heading, "", ...HEAD, ...rows, ""].join("\n"));
    }
  }
  return parts.join("\n");
}
