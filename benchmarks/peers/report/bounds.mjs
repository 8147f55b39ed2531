// What has to hold, and whether it does by what was recorded.

import { percent } from "../../tables.mjs";
import { advantage } from "../commands/end-to-end-report.mjs";
import { echoRatios, resultsOf } from "../commands/loopback-report.mjs";
import { middle } from "../commands/over-rounds.mjs";
import { titleOf } from "../commands/report-cells.mjs";
import { systems } from "../systems/index.mjs";

const isOurs = ({ name }) => systems[name]?.module === "sluice";
const known = (values) => values.filter((value) => Number.isFinite(value));
const medianOf = (values) => (known(values).length === 0 ? undefined : middle(known(values)));
const milliseconds = (value) => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
const times = (value) => `${Number.isFinite(value) ? value.toFixed(2) : "any"} x`;

/** Cells of one size and condition by variant: the median over the rounds of one of their figures. */
export function impairedFigures(cells, { bytes, loss, burst }, figure) {
  const medians = new Map();
  const matching = cells.filter(
    (cell) => cell.figures && cell.bytes === bytes && cell.loss === loss && cell.burst === burst,
  );
  for (const cell of matching) {
    if (medians.has(cell.variant)) continue;
    const rounds = matching.filter(({ variant }) => variant === cell.variant);
    const value = medianOf(rounds.map(({ figures }) => figures[figure]));
    if (value !== undefined) medians.set(cell.variant, { cell, value });
  }
  return [...medians.values()];
}

/** Ours, and the best of the peers, of a figure of which more (`isMore`) or less is better. */
function compareImpaired(cells, condition, figure, { isMore }) {
  const all = impairedFigures(cells, condition, figure);
  const ours = all.find(({ cell }) => cell.name === "sluice")?.value;
  const order = isMore ? (a, b) => b.value - a.value : (a, b) => a.value - b.value;
  const [best] = all.filter(({ cell }) => !isOurs(cell)).sort(order);
  return { ours, best: best && { title: titleOf(best.cell), value: best.value } };
}

/** Ratios of two systems' rates within the same round. */
function reliableRatios(cells) {
  const rates = (name) => resultsByRound(cells, { name, bytes: 401_408, inFlight: 8 });
  const [ours, theirs] = [rates("sluice-reliable"), rates("deno")];
  return [...ours].map(([round, rate]) => rate / theirs.get(round));
}

function resultsByRound(cells, wanted) {
  return new Map(
    [...new Set(cells.map(({ round }) => round))].flatMap((round) =>
      resultsOf(
        cells.filter((cell) => cell.round === round),
        wanted,
      ).map(({ megabytesPerSecond }) => [round, megabytesPerSecond]),
    ),
  );
}

function bestRoundTrip(cells) {
  const [best] = Object.keys(systems)
    .filter((name) => !isOurs({ name }))
    .map((name) => ({ title: systems[name].title, value: roundTripOf(cells, name) }))
    .filter(({ value }) => value !== undefined)
    .sort((a, b) => a.value - b.value);
  return best;
}

/** The best of ours, and its title where it is not the usual setting. */
function named(values, isMore) {
  const [best] = values
    .filter(({ value }) => value !== undefined)
    .sort((a, b) => (isMore ? b.value - a.value : a.value - b.value));
  if (best === undefined) return {};
  return { ours: best.value, setting: best.title === systems.sluice.title ? undefined : best.title };
}

const oursOnLoopback = ["sluice", "sluice-caller"];
const oursOfEchoes = [
  { name: "quiche", title: systems.sluice.title },
  { name: "quiche-caller", title: systems["sluice-caller"].title },
];

const roundTripOf = (cells, name) =>
  medianOf(resultsOf(cells, { name, bytes: 64, inFlight: 1 }).map(({ p50Ms }) => p50Ms));

/** @param records `{ cells }` by command; those that were not recorded are left out of what has to hold */
const measures = [
  {
    title: "5,120 B at 30/s, 5 % loss each way: share within 150 ms of those offered",
    ...{ command: "bounds", must: 0.99, aim: 0.999, isMore: true, format: percent },
    measure: (cells) =>
      compareImpaired(cells, { bytes: 5_120, loss: 0.05, burst: 1 }, "inTime", { isMore: true }),
  },
  {
    title: "the same, p99",
    ...{ command: "bounds", must: 110, aim: 80, isMore: false, format: milliseconds },
    measure: (cells) =>
      compareImpaired(cells, { bytes: 5_120, loss: 0.05, burst: 1 }, "p99Ms", { isMore: false }),
  },
  {
    title: "100,352 B at 30/s onto 20 Mbit/s, 2 % loss: share within 150 ms of those offered",
    ...{ command: "bounds", must: 0.7, aim: 0.8, isMore: true, format: percent },
    measure: (cells) =>
      compareImpaired(cells, { bytes: 100_352, loss: 0.02, burst: 1 }, "inTime", { isMore: true }),
  },
  {
    title: "correct answers within 150 ms over 2 Mbit/s at 2 % loss, over the best peer's",
    ...{ command: "end-to-end", must: 3, aim: 10, isMore: true, format: times },
    measure: (cells) => ({ ours: advantage(cells.filter(({ score }) => score !== undefined)) }),
  },
  {
    title: "echo of datagrams of 1,200 B, 64 in flight, over raw UDP's",
    ...{ command: "loopback", must: 0.45, aim: 0.6, isMore: true, format: times },
    measure: (cells) => ({
      ...named(
        oursOfEchoes.map(({ name, title }) => ({ title, value: medianOf(echoRatios(cells, name)) })),
        true,
      ),
      best: bestOf("Deno", medianOf(echoRatios(cells, "deno"))),
    }),
  },
  {
    title: "reliable mode, 401,408 B, 8 in flight on loopback, over Deno's WebTransport",
    ...{ command: "loopback", must: 0.7, aim: 1.5, isMore: true, format: times },
    measure: (cells) => ({ ours: medianOf(reliableRatios(cells)) }),
  },
  {
    title: "round trip of a tensor of 64 B on loopback, p50",
    ...{ command: "loopback", must: 0.35, aim: 0.2, isMore: false, format: milliseconds },
    measure: (cells) => ({
      ...named(
        oursOnLoopback.map((name) => ({ title: systems[name].title, value: roundTripOf(cells, name) })),
        false,
      ),
      best: bestRoundTrip(cells),
    }),
  },
];

const bestOf = (title, value) => (value === undefined ? undefined : { title, value });

/** `both reached`, `must reached, aim MISSED` or `MISSED`. */
export function judge(value, { must, aim, isMore }) {
  const reaches = (bound) => (isMore ? value >= bound : value <= bound);
  if (!reaches(must)) return "MISSED";
  return reaches(aim) ? "both reached" : "must reached, aim MISSED";
}

/** Every bound with what was measured, as texts. */
export function checkBounds(records) {
  return measures.map(({ title, command, measure, format, ...bound }) => {
    const { ours, setting, best } = records[command] === undefined ? {} : measure(records[command].cells);
    const relation = bound.isMore ? "at least" : "at most";
    return {
      title,
      ours:
        ours === undefined
          ? "not measured"
          : `${format(ours)}${setting === undefined ? "" : ` (${setting})`}`,
      best: best === undefined ? "–" : `${format(best.value)} (${best.title})`,
      must: `${relation} ${format(bound.must)}`,
      aim: format(bound.aim),
      verdict: ours === undefined ? "–" : judge(ours, bound),
    };
  });
}
