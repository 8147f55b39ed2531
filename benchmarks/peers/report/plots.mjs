// The plots of the report, as Vega-Lite specs by the name of their file.

import { legendIn } from "../../plot/legend.mjs";
import { logTicks } from "../../plot/log-ticks.mjs";
import { conditions, sizes as impairedSizes } from "../commands/impaired-cells.mjs";
import { sizes } from "../commands/loopback-cells.mjs";
import { resultsOf } from "../commands/loopback-report.mjs";
import { middle } from "../commands/over-rounds.mjs";
import { titleOf } from "../commands/report-cells.mjs";
import { axes } from "../commands/scale-cells.mjs";
import { systems } from "../systems/index.mjs";
import { impairedFigures } from "./bounds.mjs";

const width = 560;
const height = 340;

function scaleOf(points, field, isLogarithmic) {
  if (!isLogarithmic) return { axis: {}, scale: {} };
  const values = points.map((point) => point[field]);
  return { axis: { values: logTicks(values) }, scale: { type: "log" } };
}

/** Lines with points, a series for each name. */
function plotLines({ title, x, y, points }) {
  const names = [...new Set(points.map(({ name }) => name))];
  const legend = legendIn(names, { x: width + 24, y: 8 });
  const encoding = {
    x: { field: "x", type: "quantitative", title: x.title, ...scaleOf(points, "x", x.isLogarithmic) },
    y: { field: "y", type: "quantitative", title: y.title, ...scaleOf(points, "y", y.isLogarithmic) },
    color: { field: "name", type: "nominal", scale: legend.scales.colour, legend: null },
  };
  const shape = { field: "name", type: "nominal", scale: legend.scales.shape, legend: null };
  return {
    ...{ title: { text: title }, width, height },
    layer: [
      { data: { values: points }, mark: { type: "line", strokeWidth: 1.8 }, encoding },
      {
        data: { values: points },
        mark: { type: "point", filled: true, size: 46, opacity: 1 },
        encoding: { ...encoding, shape },
      },
      ...legend.layers,
    ],
  };
}

function plotImpaired({ cells }, bytes) {
  const points = conditions
    .filter(({ burst }) => burst === 1)
    .flatMap((condition) =>
      impairedFigures(cells, { bytes, ...condition }, "inTime").map(({ cell, value }) => ({
        ...{ name: titleOf(cell), x: condition.loss * 100, y: value * 100 },
      })),
    );
  return plotLines({
    title: `${bytes.toLocaleString("en-US")} B at 30 a second over 20 Mbit/s, 40 ms`,
    ...{ x: { title: "lost each way, percent" }, y: { title: "within 150 ms, percent of offered" }, points },
  });
}

function plotLoopback({ cells }, inFlight) {
  const points = Object.keys(systems).flatMap((name) =>
    sizes.flatMap((bytes) => {
      const rates = resultsOf(cells, { name, bytes, inFlight }).map(
        ({ megabytesPerSecond }) => megabytesPerSecond,
      );
      const rate = rates.length === 0 ? 0 : middle(rates);
      return rate > 0 ? [{ name: systems[name].title, x: bytes, y: rate }] : [];
    }),
  );
  return plotLines({
    title: `Loopback, ${inFlight} in flight`,
    ...{ x: { title: "bytes of a tensor", isLogarithmic: true }, y: { title: "MB/s", isLogarithmic: true } },
    points,
  });
}

/** Of each axis what grows along it. */
const scalePlots = {
  sessions: ["p50 ms", ({ figures }) => figures.p50Ms],
  bytes: ["p50 ms", ({ figures }) => figures.p50Ms],
  loss: ["in time, percent", ({ figures }) => figures.inTime * 100],
  rttMs: ["in time, percent", ({ figures }) => figures.inTime * 100],
};

function plotScale({ cells }, axis) {
  const [title, pick] = scalePlots[axis];
  const isShare = axis === "loss" || axis === "rttMs";
  const points = axes[axis].systems.flatMap((name) =>
    axes[axis].values.flatMap((value) => {
      const values = cells
        .filter((cell) => cell.axis === axis && cell.value === value && cell.name === name && cell.figures)
        .map(pick)
        .filter((each) => Number.isFinite(each));
      const x = axis === "loss" ? value * 100 : value;
      return values.length === 0 ? [] : [{ name: systems[name].title, x, y: middle(values) }];
    }),
  );
  return plotLines({
    title: axes[axis].title,
    x: { title: axes[axis].unit, isLogarithmic: axis !== "loss" },
    y: { title, isLogarithmic: !isShare },
    points,
  });
}

/** @param records `{ cells }` by command; only what was recorded is drawn */
export function plotsOf({ impaired, loopback, scale }) {
  const plots = {
    ...(impaired &&
      Object.fromEntries(impairedSizes.map((bytes) => [`impaired-${bytes}`, plotImpaired(impaired, bytes)]))),
    ...(loopback && { "loopback-1": plotLoopback(loopback, 1), "loopback-8": plotLoopback(loopback, 8) }),
    ...(scale &&
      Object.fromEntries(Object.keys(axes).map((axis) => [`scale-${axis}`, plotScale(scale, axis)]))),
  };
  const hasPoints = ({ layer }) => layer[0].data.values.length > 0;
  return Object.fromEntries(Object.entries(plots).filter(([, spec]) => hasPoints(spec)));
}
