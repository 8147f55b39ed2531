import { curvesBelow } from "../plot/curves-below.mjs";
import { logTicks } from "../plot/log-ticks.mjs";
import { distinct } from "./quantizer-report.mjs";

/** Levels that get a curve; all are in the tables. */
const drawn = [2, 3, 4, 5, 7, 8, 16, 32];
/** From light to dark with the number of levels. */
const tones = ["#E0A100", "#B8B000", "#6DB33F", "#2DA87A", "#21908C", "#2C728E", "#3B528B", "#440154"];
const size = { width: 400, height: 360 };
const shownDrop = { lowest: -2, highest: 10 };

/** Of the axis of drops, so that two numbers do not stand on each other. */
const labelGap = 0.42;

function encodings(clips, title, scale, axis = {}) {
  const room = 0.12 * (clips.at(-1) - clips[0]) || 1;
  return {
    x: {
      field: "x",
      type: "quantitative",
      title: "clip width in standard deviations",
      scale: { domain: [clips[0] - room / 2, clips.at(-1) + room], nice: false },
      axis: { tickMinStep: 1 },
    },
    y: { field: "y", type: "quantitative", title, scale, axis },
    color: { field: "levels", type: "ordinal", scale: { domain: drawn, range: tones }, legend: null },
  };
}

/** The right end of each curve, with its name; those too near to each other pushed apart. */
function endLabels(lines, gap) {
  const ends = distinct(lines, "levels").map((levels) => ({
    ...lines.filter((each) => each.levels === levels).at(-1),
    text: `${levels}`,
  }));
  ends.sort((a, b) => a.y - b.y);
  for (let i = 1; i < ends.length; i++) ends[i].y = Math.max(ends[i].y, ends[i - 1].y + gap);
  return ends;
}

function panel(points, lines, labels, { x, y, color }) {
  const bars = points.filter(({ low }) => low !== undefined);
  return {
    ...size,
    layer: [
      {
        data: { values: bars },
        mark: { type: "rule", opacity: 0.5 },
        encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color },
      },
      {
        data: { values: lines },
        mark: { type: "line", strokeWidth: 1.8 },
        encoding: { x, y, color, detail: { field: "piece" } },
      },
      {
        data: { values: points },
        mark: { type: "point", filled: true, size: 34, opacity: 1 },
        encoding: { x, y, color },
      },
      {
        data: { values: labels },
        mark: { type: "text", align: "left", dx: 8, fontWeight: 600 },
        encoding: { x, y, color, text: { field: "text" } },
      },
    ],
  };
}

function dropPanel(points, clips) {
  const { lowest, highest } = shownDrop;
  const within = (value) => Math.min(highest, Math.max(lowest, value));
  const values = points.map(({ levels, clip, figures: { dropPoints, dropStandardError: error } }) => {
    const bar = { low: within(dropPoints - error), high: within(dropPoints + error) };
    return { levels, x: clip, y: dropPoints, ...bar };
  });
  const lines = distinct(values, "levels").flatMap((levels) =>
    curvesBelow(
      values.filter((value) => value.levels === levels),
      highest,
      { isLogarithmic: false },
    ),
  );
  const title = "top-1 drop in points, ± its standard error";
  const shown = values.filter(({ y }) => y <= highest);
  const scale = { domain: [lowest, highest], nice: false };
  return panel(shown, lines, endLabels(lines, labelGap), encodings(clips, title, scale));
}

function errorPanel(points, clips) {
  const values = points.map(({ levels, clip, figures }) => ({
    ...{ levels, x: clip, y: 100 * figures.relativeError, piece: 0 },
  }));
  const title = "squared error, % of the variance (logarithmic)";
  const axis = { values: logTicks(values.map(({ y }) => y)), format: "~r" };
  return panel(values, values, endLabels(values, 0), encodings(clips, title, { type: "log" }, axis));
}

/** Drop and squared error against the clip width, a curve for each number of levels. @returns a Vega-Lite spec */
export function plotQuantizer(points, workload) {
  const clips = distinct(points, "clip");
  const chosen = points.filter(({ levels }) => drawn.includes(levels));
  return {
    title: {
      text: `${workload.model}, cut at ${workload.split}: uniform quantizer`,
      subtitle: `Numbers at the curves: levels. ${workload.images} images; each tensor in its own range, mean ± clip width.`,
    },
    spacing: 50,
    hconcat: [dropPanel(chosen, clips), errorPanel(chosen, clips)],
  };
}
