import { legendIn } from "../plot/legend.mjs";
import { logTicks } from "../plot/log-ticks.mjs";
import { distinctOf } from "./stream-report.mjs";

const size = { width: 420, height: 230 };

/** PSNR against bytes, a panel for each clip; dashed: each frame by itself. @returns a Vega-Lite spec */
export function plotStream(points, workload) {
  const values = points
    .filter(({ kind, figures }) => kind === "stream" && figures.psnrDb !== null)
    .map(({ clip, series, mode, figures: { bytes, psnrDb } }) => ({ clip, series, mode, bytes, psnrDb }));
  const legend = legendIn(distinctOf(values, "series"), { x: size.width + 24, y: 8 });
  const x = {
    field: "bytes",
    type: "quantitative",
    title: "bytes on the wire per frame (logarithmic)",
    scale: { type: "log", nice: false, padding: 16 },
    axis: { values: logTicks(values.map(({ bytes }) => bytes)), format: ",d", labelOverlap: "greedy" },
  };
  const y = { field: "psnrDb", type: "quantitative", title: "PSNR in dB", scale: { zero: false } };
  const color = { field: "series", type: "nominal", scale: legend.scales.colour, legend: null };
  const shape = { field: "series", type: "nominal", scale: legend.scales.shape, legend: null };
  const strokeDash = { condition: { test: "datum.mode === 'intra'", value: [5, 4] }, value: [1, 0] };
  const panel = (clip, i) => ({
    ...size,
    title: { text: clip, fontSize: 13, fontWeight: 400, offset: 8, frame: "group" },
    data: { values: values.filter((value) => value.clip === clip) },
    layer: [
      { mark: { type: "line" }, encoding: { x, y, color, strokeDash, detail: { field: "mode" } } },
      { mark: { type: "point", filled: true, size: 44, opacity: 1 }, encoding: { x, y, color, shape } },
      ...(i === 0 ? legend.layers : []),
    ],
  });
  return {
    title: {
      text: `${workload.model}, cut at ${workload.split}: tensors that follow one another`,
      subtitle:
        "Solid: predicted from acknowledged frames, where a chain does that. Dashed: each frame by itself.",
    },
    vconcat: distinctOf(values, "clip").map(panel),
  };
}
