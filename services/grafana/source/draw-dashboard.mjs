// Draws a dashboard as a page: each panel in its place, from what Prometheus answers.
import { palette } from "../../../benchmarks/plot/theme.mjs";
import { formatUnit } from "./format-unit.mjs";

/** Of a column of the grid, in pixels. */
const column = 57;
const height = 190;
const left = 108;
const bottom = 22;

const escapeHtml = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const legendOf = (format, labels) => format.replace(/\{\{(\w+)\}\}/g, (_, name) => labels[name] ?? "");

/** @param ask resolves a query to Prometheus's matrix @returns {Promise<{ html: string, empty: string[] }>} */
export async function drawDashboard({ title, description, panels }, ask) {
  const empty = [];
  const drawn = [];
  for (const panel of panels) {
    const series = [];
    for (const { expr, legendFormat } of panel.targets) {
      for (const { metric, values } of await ask(expr.replaceAll("$instance", ".*"))) {
        const points = values
          .map(([at, text]) => [at, Number(text)])
          .filter(([, value]) => !Number.isNaN(value));
        if (points.length > 0) series.push({ name: legendOf(legendFormat, metric), points });
      }
    }
    if (series.length === 0) empty.push(panel.title);
    const { x, y, w, h } = panel.gridPos;
    const place = `grid-column:${x + 1}/span ${w};grid-row:${y + 1}/span ${h}`;
    const body = series.length === 0 ? "<p>No data</p>" : draw[panel.type](panel, series);
    drawn.push(
      `<section style="${place}"><h2>${escapeHtml(panel.title)}</h2><p>${escapeHtml(panel.description)}</p>${body}</section>`,
    );
  }
  return { html: page(title, description, drawn), empty };
}

const draw = { timeseries: drawCurves, stat: drawNumber, heatmap: drawHeat };

function drawCurves({ fieldConfig, gridPos }, series) {
  const width = gridPos.w * column;
  const { unit, max, custom } = fieldConfig.defaults;
  const stacked = custom.stacking.mode === "normal";
  const shown = stacked ? stack(series) : series.map((one) => ({ ...one, base: undefined }));
  const all = shown.flatMap(({ points }) => points.map(([, value]) => value));
  const times = shown.flatMap(({ points }) => points.map(([at]) => at));
  const ticks = custom.scaleDistribution?.type === "log" ? powers(all) : evenly(max ?? Math.max(...all));
  const scale = scales(width, Math.min(...times), Math.max(...times), ticks);
  const paths = shown.map(({ points, base }, i) => {
    const colour = palette[i % palette.length];
    const line = points.map(([at, value]) => `${scale.x(at)},${scale.y(value)}`);
    const area = base
      ? [...line, ...base.toReversed().map(([at, value]) => `${scale.x(at)},${scale.y(value)}`)]
      : [];
    return `${base ? `<polygon points="${area.join(" ")}" fill="${colour}" opacity=".4"/>` : ""}<polyline points="${line.join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>`;
  });
  const rows = series.map(({ name, points }, i) => {
    const values = points.map(([, value]) => value);
    const cells = [values.at(-1), Math.max(...values)].map((value) => `<td>${formatUnit(value, unit)}</td>`);
    return `<tr><td><i style="background:${palette[i % palette.length]}"></i>${escapeHtml(name)}</td>${cells.join("")}</tr>`;
  });
  return `${frame(scale, unit, paths.join(""))}<table><tr><th></th><th>last</th><th>max</th></tr>${rows.join("")}</table>`;
}

/** Each series on the ones before it, by its times. */
function stack(series) {
  const sums = new Map();
  return series.map(({ name, points }) => {
    const base = points.map(([at]) => [at, sums.get(at) ?? 0]);
    for (const [at, value] of points) sums.set(at, (sums.get(at) ?? 0) + value);
    return { name, base, points: points.map(([at]) => [at, sums.get(at)]) };
  });
}

/** Five or so round numbers from 0 up to what has to be shown. */
function evenly(most) {
  const rough = most > 0 && Number.isFinite(most) ? most / 4 : 0.25;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((digit) => digit * power).find((size) => size >= rough);
  const count = Math.max(1, Math.ceil(most / step - 1e-9));
  return { isLog: false, at: Array.from({ length: count + 1 }, (_, i) => i * step) };
}

function powers(values) {
  const shown = values.filter((value) => value > 0);
  const from = Math.floor(Math.log10(Math.min(...shown)));
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(...shown))));
  return { isLog: true, at: Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i)) };
}

function scales(width, fromX, toX, { isLog, at }) {
  const [low, high] = [at[0], at.at(-1)].map((value) => (isLog ? Math.log10(value) : value));
  const share = (value) => ((isLog ? Math.log10(Math.max(value, at[0])) : value) - low) / (high - low);
  return {
    ...{ width, fromX, toX, ticks: at },
    x: (time) => (left + ((time - fromX) / (toX - fromX || 1)) * (width - left - 8)).toFixed(1),
    y: (value) => (height - bottom - share(value) * (height - bottom - 8)).toFixed(1),
  };
}

function frame(scale, unit, inside) {
  const { width } = scale;
  const lines = scale.ticks.map((value) => {
    const y = scale.y(value);
    return `<line x1="${left}" x2="${width - 8}" y1="${y}" y2="${y}" stroke="#ddd"/><text x="${left - 6}" y="${Number(y) + 4}" text-anchor="end">${formatUnit(value, unit)}</text>`;
  });
  const ends = `<text x="${left}" y="${height - 6}">${Math.round(scale.fromX - scale.toX)} s</text><text x="${width - 8}" y="${height - 6}" text-anchor="end">now</text>`;
  return `<svg viewBox="0 0 ${width} ${height}">${lines.join("")}${inside}${ends}</svg>`;
}

function drawNumber({ fieldConfig }, [{ points }]) {
  const { unit, thresholds } = fieldConfig.defaults;
  const value = points.at(-1)[1];
  const { color } = thresholds.steps.filter(({ value: from }) => from === null || value >= from).at(-1);
  return `<div class="number" style="background:${color}">${formatUnit(value, unit)}</div>`;
}

/** Buckets of a histogram, cumulative as Prometheus has them, as rows of rectangles. */
function drawHeat({ options, gridPos }, series) {
  const width = gridPos.w * column;
  const bounds = series
    .map(({ name, points }) => ({ bound: Number(name === "+Inf" ? Number.POSITIVE_INFINITY : name), points }))
    .sort((a, b) => a.bound - b.bound);
  const times = [...new Set(bounds.flatMap(({ points }) => points.map(([at]) => at)))];
  const counts = bounds.map(({ points }) => new Map(points));
  const inBucket = (i, at) =>
    Math.max(0, (counts[i].get(at) ?? 0) - (i === 0 ? 0 : (counts[i - 1].get(at) ?? 0)));
  const most = Math.max(...times.flatMap((at) => bounds.map((_, i) => inBucket(i, at))), 1);
  const [dx, dy] = [(width - left - 8) / times.length, (height - bottom - 8) / bounds.length];
  const cells = times.flatMap((at, index) =>
    bounds.map((_, i) => {
      const share = inBucket(i, at) / most;
      const y = height - bottom - (i + 1) * dy;
      return share === 0
        ? ""
        : `<rect x="${left + index * dx}" y="${y}" width="${dx + 0.5}" height="${dy}" fill="#D55E00" opacity="${Math.max(0.08, share)}"/>`;
    }),
  );
  const names = bounds.map(({ bound }, i) =>
    i % 2 === 1
      ? ""
      : `<text x="${left - 6}" y="${height - bottom - i * dy}" text-anchor="end">≤ ${Number.isFinite(bound) ? formatUnit(bound, options.yAxis.unit) : "∞"}</text>`,
  );
  return `<svg viewBox="0 0 ${width} ${height}">${cells.join("")}${names.join("")}</svg>`;
}

const page = (
  title,
  description,
  drawn,
) => `<!doctype html><meta charset="utf-8"><title>${escapeHtml(title)}</title><style>
body{font:13px "DejaVu Sans",Verdana,sans-serif;margin:16px;background:#f3f3f3;color:#222}
main{display:grid;grid-template-columns:repeat(24,1fr);grid-auto-rows:minmax(34px,auto);gap:8px}
section{background:#fff;border:1px solid #ddd;padding:8px;overflow:hidden;min-width:0}
h1{font-size:20px;margin:0}h2{font-size:14px;margin:0}p{margin:2px 0 6px;color:#666;font-size:11.5px}
svg{width:100%}svg text{font-size:11px;fill:#444}table{width:100%;border-collapse:collapse;font-size:11.5px}
th,td{text-align:right;font-weight:400;padding:1px 4px}th{color:#888}td:first-child{text-align:left}
i{display:inline-block;width:12px;height:4px;margin-right:6px;vertical-align:middle}
.number{font-size:34px;text-align:center;padding:14px;color:#fff}</style>
<h1>${escapeHtml(title)}</h1><p>${escapeHtml(description)}</p><main>${drawn.join("")}</main>
`;
