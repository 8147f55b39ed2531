import { ink } from "../plot/theme.mjs";
import { distinct } from "./quantizer-report.mjs";

/** Levels that get a curve; all are in the tables. */
const drawn = [2, 3, 4, 5, 7, 8, 16, 32];
const size = { width: 400, height: 360 };
const shownDrop = { lowest: -0.5, highest: 10 };

/** From light to dark with the number of levels: viridis without its palest end. */
const tones = ["#E0A100", "#B8B000", "#6DB33F", "#2DA87A", "#21908C", "#2C728E", "#3B528B", "#440154"];

function panel(values, title, field, scale, labelClip) {
  const x = {
    field: "clip",
    type: "quantitative",
    title: "clip width in standard deviations",
    scale: { domain: [Math.min(...values.map(({ clip }) => clip)), labelClip + 0.9], nice: false },
    axis: { tickCount: 6 },
  };
  const y = { field, type: "quantitative", title, scale };
  const color = {
    field: "levels",
    type: "ordinal",
    scale: { domain: drawn, range: tones },
    legend: null,
  };
  return { x, y, color };
}

/** Pushes labels apart that would stand on each other; in units of the axis. */
function spread(labels, gap) {
  const sorted = labels.toSorted((a, b) => a.at - b.at);
  for (let i = 1; i < sorted.length; i++) sorted[i].at = Math.max(sorted[i].at, sorted[i - 1].at + gap);
  return sorted;
}

function curves(values, { x, y, color }, bars) {
  return [
    ...(bars
      ? [
          {
            data: { values },
            mark: { type: "rule", opacity: 0.5 },
            encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color },
          },
        ]
      : []),
    { data: { values }, mark: { type: "line", strokeWidth: 1.8 }, encoding: { x, y, color } },
    {
      data: { values },
      mark: { type: "point", filled: true, size: 34, opacity: 1 },
      encoding: { x, y, color },
    },
  ];
}

function labelLayer(labels, { x, y, color }) {
  return {
    data: { values: labels },
    mark: { type: "text", align: "left", dx: 8, fontWeight: 600 },
    encoding: { x, y: { ...y, field: "at" }, color, text: { field: "text" } },
  };
}

/** Drop and squared error against the clip width, a curve for each number of levels. @returns a Vega-Lite spec */
export function plotQuantizer(points, workload) {
  const clips = distinct(points, "clip");
  const last = clips.at(-1);
  const within = (value) => Math.min(shownDrop.highest, Math.max(shownDrop.lowest, value));
  const all = points
    .filter(({ levels }) => drawn.includes(levels))
    .map(({ levels, clip, figures }) => ({
      ...{ levels, clip, error: 100 * figures.relativeError, drop: figures.dropPoints },
      low: within(figures.dropPoints - figures.dropStandardError),
      high: within(figures.dropPoints + figures.dropStandardError),
    }));
  const inside = all.filter(({ drop }) => drop <= shownDrop.highest);
  const dropPanel = panel(
    all,
    "top-1 drop in points, ± its standard error",
    "drop",
    { domain: [shownDrop.lowest, shownDrop.highest], nice: false },
    last,
  );
  const errorPanel = panel(
    all,
    "squared error, % of the variance (logarithmic)",
    "error",
    { type: "log", nice: true },
    last,
  );
  const lastOf = (values) =>
    distinct(values, "levels").map((levels) => values.filter((each) => each.levels === levels).at(-1));
  const dropLabels = spread(
    lastOf(inside).map(({ levels, clip, drop }) => ({ levels, clip, at: drop, text: `${levels}` })),
    0.38,
  );
  const errorLabels = lastOf(all).map(({ levels, clip, error }) => ({
    levels,
    clip,
    at: error,
    text: `${levels}`,
  }));
  return {
    title: {
      text: `${workload.model}, cut at ${workload.split}: uniform quantizer`,
      subtitle: `Numbers at the curves: levels. ${workload.images} images; each tensor in its own range, mean ± clip width.`,
      color: ink,
    },
    spacing: 50,
    hconcat: [
      { ...size, layer: [...curves(inside, dropPanel, true), labelLayer(dropLabels, dropPanel)] },
      { ...size, layer: [...curves(all, errorPanel, false), labelLayer(errorLabels, errorPanel)] },
    ],
  };
}
