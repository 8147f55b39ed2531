import { palette } from "../plot/theme.mjs";

const methods = [
  { method: "none", name: "as it was before" },
  { method: "whole", name: "whole vectors" },
  { method: "fractional", name: "vectors with fractions" },
];
const names = methods.map(({ name }) => name);
const color = {
  field: "name",
  type: "nominal",
  sort: names,
  scale: { domain: names, range: palette.slice(0, names.length) },
  legend: { orient: "top", title: null, labelFontSize: 12, symbolSize: 80, offset: 16 },
};

/** What is better, or exact, stands at the right edge. */
const highest = 55;
const shown = (value) => Math.min(highest, value ?? highest);

function rowsOf(points, labelOf) {
  return points.map((point) => {
    const { median, low, high } = point.figures;
    const { name } = methods.find(({ method }) => method === point.method);
    const text = median === null ? "exact" : median.toFixed(1);
    return { label: labelOf(point), name, at: shown(median), low: shown(low), high: shown(high), text };
  });
}

function panel(title, values, isLast) {
  const x = {
    type: "quantitative",
    title: isLast ? "PSNR in dB: median, 10th to 90th percentile" : null,
    scale: { domain: [15, highest + 4], nice: false },
  };
  const labels = { labelLimit: 260, ticks: false };
  const y = { field: "label", type: "nominal", sort: null, title: null, axis: labels };
  const yOffset = { field: "name", type: "nominal", sort: names, scale: { domain: names } };
  return {
    title: { text: title, fontSize: 13, fontWeight: 400, offset: 8, frame: "group" },
    width: 520,
    height: { step: 13, for: "offset" },
    data: { values },
    encoding: { y, yOffset, color },
    layer: [
      {
        mark: { type: "rule", strokeWidth: 2, opacity: 0.5 },
        encoding: { x: { ...x, field: "low" }, x2: { field: "high" } },
      },
      { mark: { type: "point", filled: true, size: 50, opacity: 1 }, encoding: { x: { ...x, field: "at" } } },
      {
        mark: { type: "text", align: "left", dx: 7, fontSize: 10 },
        encoding: { x: { ...x, field: "high" }, text: { field: "text" } },
      },
    ],
  };
}

/** How well a moved tensor is predicted, a row for each movement and each clip. @returns a Vega-Lite spec */
export function plotMotion(points, workload) {
  const moved = (area) =>
    rowsOf(
      points.filter((point) => point.kind === "moved" && point.area === area),
      ({ pixels, stride }) => `${pixels} pixels (${pixels / stride} elements)`,
    );
  const clips = rowsOf(
    points.filter(({ kind }) => kind === "clip"),
    ({ clip, gap }) => `${clip}, ${gap} before`,
  );
  const panels = [
    ["input moved by a known vector", moved("all")],
    ["the same without the elements at the edges", moved("inner")],
    ["clips, from one frame before and from five: vectors searched for block by block", clips],
  ].filter(([, values]) => values.length > 0);
  return {
    title: {
      text: `${workload.model}, tensor ${workload.split}: predicted from the one before`,
      subtitle: `${workload.images} images; ${workload.shape.join(" x ")}; numbers are medians, what is better than ${highest} dB stands there`,
    },
    spacing: 24,
    vconcat: panels.map(([title, values], i) => panel(title, values, i === panels.length - 1)),
    resolve: { scale: { color: "shared", y: "independent", yOffset: "independent" } },
  };
}
