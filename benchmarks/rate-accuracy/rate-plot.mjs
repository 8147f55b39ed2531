import { curvesBelow } from "../plot/curves-below.mjs";
import { legendIn } from "../plot/legend.mjs";
import { logTicks } from "../plot/log-ticks.mjs";
import { bySeries, bytesAtLoss, lossesOf } from "./bytes-at-loss.mjs";

const width = 640;
const height = 420;
/** Points of drop that are shown; curves leave the plot at its top. */
const shown = { lowest: -1, highest: 12 };

const within = (value) => Math.min(shown.highest, Math.max(shown.lowest, value));

/** Names of the series, from the one that needs the fewest bytes to the one that needs the most. */
function ranked(points) {
  const cost = (own) =>
    bytesAtLoss(
      own.map(({ figures }) => figures),
      2,
      lossesOf.drop,
    )?.bytes ?? Number.POSITIVE_INFINITY;
  const nameOf = ([series, [{ kind }]]) => (kind === "image" ? `image: ${series}` : series);
  return [...bySeries(points)].sort(([, a], [, b]) => cost(a) - cost(b)).map(nameOf);
}

function curveOf([series, points]) {
  return points.map(({ kind, figures }) => {
    const { bytes, dropPoints, dropStandardError: error } = figures;
    const name = kind === "image" ? `image: ${series}` : series;
    const bar = { low: within(dropPoints - error), high: within(dropPoints + error) };
    return { kind, name, x: bytes, y: dropPoints, ...bar };
  });
}

const bytesAxis = (values) => ({
  field: "x",
  type: "quantitative",
  title: "bytes on the wire per tensor or image (logarithmic)",
  scale: {
    type: "log",
    domain: [0.85 * Math.min(...values.map(({ x }) => x)), 1.15 * Math.max(...values.map(({ x }) => x))],
    nice: false,
  },
  axis: { values: logTicks(values.map(({ x }) => x)), format: ",d", labelOverlap: "greedy" },
});

const dropAxis = (field) => ({
  field,
  type: "quantitative",
  title: "top-1 drop in points, ± its standard error",
  scale: { domain: [shown.lowest, shown.highest], nice: false },
});

/** Drop with its standard error against bytes on a logarithmic axis. @returns a Vega-Lite spec */
export function plotRate(points, workload) {
  const curves = [...bySeries(points)].map(curveOf);
  const lines = curves.flatMap((curve) => curvesBelow(curve, shown.highest, { isLogarithmic: true }));
  const values = curves.flat().filter(({ y }) => y <= shown.highest);
  const legend = legendIn(ranked(points), { x: width + 24, y: 8 });
  const color = { field: "name", type: "nominal", scale: legend.scales.colour, legend: null };
  const shape = { field: "name", type: "nominal", scale: legend.scales.shape, legend: null };
  const strokeDash = { condition: { test: "datum.kind === 'image'", value: [5, 4] }, value: [1, 0] };
  const x = bytesAxis(lines);
  const [y, low] = [dropAxis("y"), dropAxis("low")];
  return {
    title: {
      text: `${workload.model}, cut at ${workload.split}: accuracy lost against bytes sent`,
      subtitle: [
        `${workload.images} images, tensor of ${workload.shape.join(" x ")}.`,
        "Dashed: the image itself is sent, and the server runs the whole network.",
      ],
    },
    ...{ width, height },
    layer: [
      { data: { values: [{ y: 1 }] }, mark: { type: "rule", color: "#9a9a9a" }, encoding: { y } },
      {
        data: { values },
        mark: { type: "rule", opacity: 0.6 },
        encoding: { x, y: low, y2: { field: "high" }, color },
      },
      {
        data: { values: lines },
        mark: { type: "line", strokeWidth: 1.8 },
        encoding: { x, y, color, strokeDash, detail: { field: "piece" }, order: { field: "x" } },
      },
      {
        data: { values },
        mark: { type: "point", filled: true, size: 46, opacity: 1 },
        encoding: { x, y, color, shape },
      },
      ...legend.layers,
    ],
  };
}
