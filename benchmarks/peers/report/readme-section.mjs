// The README's measured result: what stands between its two marks is written from the record, and by nothing else.

import { percent } from "../../tables.mjs";
import { titleOf } from "../commands/report-cells.mjs";
import { impairedFigures } from "./bounds.mjs";

const BEGIN = "<!-- peers: begin -->";
const END = "<!-- peers: end -->";
const condition = { bytes: 5_120, loss: 0.05, burst: 1 };

const milliseconds = (value) => (value === undefined ? "–" : `${Math.round(value)} ms`);

/** Each system once: one over TCP with the congestion control that does better. */
function bestVariants(cells) {
  const best = new Map();
  for (const each of impairedFigures(cells, condition, "inTime")) {
    const { name } = each.cell;
    if ((best.get(name)?.value ?? -1) < each.value) best.set(name, each);
  }
  return [...best.values()].sort((a, b) => b.value - a.value);
}

/** @param impaired the record of that command, `undefined` where there is none: then the section is empty */
export function composeReadmeSection(impaired) {
  if (impaired === undefined) return "";
  const p99 = new Map(
    impairedFigures(impaired.cells, condition, "p99Ms").map(({ cell, value }) => [cell.variant, value]),
  );
  const rows = bestVariants(impaired.cells).map(
    ({ cell, value }) => `| ${titleOf(cell)} | ${percent(value)} | ${milliseconds(p99.get(cell.variant))} |`,
  );
  if (rows.length === 0) return "";
  return [
    "**Beside what people use today**: tensors of 5,120 B, 30 a second, over 20 Mbit/s and 20 ms, 5 % of the packets lost each",
    "way ([everything else](benchmarks/results/peers.md), where others are better included; `node benchmarks/peers.mjs`).",
    "",
    "| | within 150 ms, of those offered | p99 |",
    "|---|---|---|",
    ...rows,
  ].join("\n");
}

/** The README with another section. @throws RangeError where its marks are missing */
export function replaceSection(readme, section) {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin === -1 || end < begin)
    throw new RangeError(`README.md must have ${BEGIN} and ${END}, in this order`);
  const body = section === "" ? "\n" : `\n${section}\n`;
  return readme.slice(0, begin + BEGIN.length) + body + readme.slice(end);
}
