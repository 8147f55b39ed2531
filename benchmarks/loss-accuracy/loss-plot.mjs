import { curvesBelow } from "../plot/curves-below.mjs";
import { legendIn } from "../plot/legend.mjs";
import { byProcess, commonOf, seriesOf } from "./loss-report.mjs";

const width = 560;
const height = 380;
/** Points of drop that are shown; curves leave the plot at its top. */
const shown = { lowest: -1, highest: 20 };

const dropAxis = (field) => ({
  field,
  type: "quantitative",
  title: "top-1 drop in points, ± its standard error",
  scale: { domain: [shown.lowest, shown.highest], nice: false },
});

/** Drop against the rate of loss, one loss process. @returns a Vega-Lite spec */
function plotProcess(process, points, workload) {
  const series = seriesOf(points);
  const names = [...series.keys()];
  const within = (value) => Math.min(shown.highest, Math.max(shown.lowest, value));
  const curves = names.map((name) =>
    series.get(name).map(({ rate, dropPoints: y, dropStandardError: error }) => {
      return { name, x: 100 * rate, y, low: within(y - error), high: within(y + error) };
    }),
  );
  const lines = curves.flatMap((curve) => curvesBelow(curve, shown.highest, { isLogarithmic: false }));
  const values = curves.flat().filter(({ y }) => y <= shown.highest);
  const legend = legendIn(names, { x: width + 24, y: 8 });
  const color = { field: "name", type: "nominal", scale: legend.scales.colour, legend: null };
  const shape = { field: "name", type: "nominal", scale: legend.scales.shape, legend: null };
  const x = { field: "x", type: "quantitative", title: `lost, percent (${process})` };
  const [y, low] = [dropAxis("y"), dropAxis("low")];
  return {
    title: {
      text: `${workload.model}, cut at ${workload.split}: accuracy lost with ${process}`,
      subtitle: [`${workload.images} images, tensor of ${workload.shape.join(" x ")}${commonOf(points)}`],
    },
    ...{ width, height },
    layer: [
      {
        data: { values },
        mark: { type: "rule", opacity: 0.6 },
        encoding: { x, y: low, y2: { field: "high" }, color },
      },
      {
        data: { values: lines },
        mark: { type: "line", strokeWidth: 1.8 },
        encoding: { x, y, color, detail: { field: "piece" }, order: { field: "x" } },
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

/** A plot for each loss process, by what is put behind the file's name. */
export function plotLoss(points, workload) {
  return Object.fromEntries(
    [...byProcess(points)].map(([process, own]) => [`-${process}`, plotProcess(process, own, workload)]),
  );
}
