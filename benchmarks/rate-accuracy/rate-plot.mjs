import { legendIn } from "../plot/legend.mjs";
import { bySeries, bytesAtDrop } from "./bytes-at-drop.mjs";

const width = 760;
const height = 420;
/** Points of drop that are shown; curves run out of the plot above. */
const shown = { lowest: -1, highest: 12 };

/** Series from the one that needs the fewest bytes to the one that needs the most. */
function ranked(points) {
  const cost = (own) =>
    bytesAtDrop(
      own.map(({ figures }) => figures),
      2,
    )?.bytes ?? Number.POSITIVE_INFINITY;
  return [...bySeries(points)].sort(([, a], [, b]) => cost(a) - cost(b)).map(([name]) => name);
}

const bytesAxis = (domain) => ({
  field: "bytes",
  type: "quantitative",
  title: "bytes on the wire per tensor or image (logarithmic)",
  scale: { type: "log", domain, nice: false },
  axis: {
    values: [1, 2, 5].flatMap((digit) => [10, 100, 1e3, 1e4, 1e5, 1e6].map((power) => digit * power)),
    format: ",d",
    labelOverlap: "greedy",
  },
});

function domainOf(values) {
  const bytes = values.map((value) => value.bytes);
  return [Math.min(...bytes) * 0.85, Math.max(...bytes) * 1.15];
}

/** Drop with its standard error, and below it the error of the tensor, both against bytes on a logarithmic axis. */
export function plotRate(points, workload) {
  const values = points.map(({ kind, series, figures }) => {
    const { bytes, dropPoints, dropStandardError: error, psnrDb } = figures;
    const name = kind === "image" ? `image: ${series}` : series;
    return { kind, name, bytes, drop: dropPoints, low: dropPoints - error, high: dropPoints + error, psnrDb };
  });
  const names = ranked(points).map(
    (series) => values[points.findIndex((point) => point.series === series)].name,
  );
  const legend = legendIn(names, { x: width - 330, y: 18 });
  const base = { data: { values } };
  const colour = { field: "name", type: "nominal", scale: legend.scales.colour, legend: null };
  const shape = { field: "name", type: "nominal", scale: legend.scales.shape, legend: null };
  const dash = { condition: { test: "datum.kind === 'image'", value: [5, 4] }, value: [1, 0] };
  const x = bytesAxis(domainOf(values));
  const drop = (field) => ({
    field,
    type: "quantitative",
    title: "top-1 drop, percentage points (bars: ± one standard error)",
    scale: { domain: [shown.lowest, shown.highest], nice: false },
  });
  return {
    title: {
      text: `${workload.model}, cut at ${workload.split}: accuracy lost against bytes sent`,
      subtitle: `${workload.images} images, tensor of ${workload.shape.join(" x ")}; dashed: the image itself is sent, the server runs the whole network`,
    },
    ...{ width, height },
    layer: [
      {
        data: { values: [{ drop: 1 }] },
        mark: { type: "rule", color: "#9a9a9a" },
        encoding: { y: drop("drop") },
      },
      {
        ...base,
        mark: { type: "rule", clip: true, opacity: 0.6 },
        encoding: { x, y: drop("low"), y2: { field: "high" }, color: colour },
      },
      {
        ...base,
        mark: { type: "line", clip: true, strokeWidth: 1.8 },
        encoding: { x, y: drop("drop"), color: colour, strokeDash: dash, order: { field: "bytes" } },
      },
      {
        ...base,
        mark: { type: "point", filled: true, clip: true, size: 46, opacity: 1 },
        encoding: { x, y: drop("drop"), color: colour, shape },
      },
      ...legend.layers,
    ],
    resolve: { scale: { color: "independent", shape: "independent" } },
  };
}
