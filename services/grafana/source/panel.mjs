// What the dashboards are made of: rows of panels with queries, as Grafana's JSON wants them.

const datasource = { type: "prometheus", uid: "prometheus" };
const columns = 24;

/** A query with the legend of its series; `$job` and `$instance` are the dashboard's choices. */
export const query = (expr, legend) => ({ expr: expr.replace(/\s+/g, " ").trim(), legend });

function target({ expr, legend }, index) {
  return { refId: String.fromCharCode(65 + index), datasource, expr, legendFormat: legend, range: true };
}

/** So many of something each second, as a unit: `each("frames")` shows `30 frames/s`. */
export const each = (what) => `suffix: ${what}/s`;

/** Curves over time. `unit` is Grafana's: s, percentunit, bps, Bps, bytes, short, or `suffix: ...`. */
export function curves(title, description, unit, queries, options = {}) {
  return {
    ...{ type: "timeseries", title, description, datasource },
    targets: queries.map(target),
    fieldConfig: {
      defaults: {
        unit,
        ...(options.log ? {} : { min: 0 }),
        ...(options.max === undefined ? {} : { max: options.max }),
        custom: {
          lineWidth: 2,
          fillOpacity: options.stacked ? 40 : 8,
          showPoints: "never",
          ...(options.log ? { scaleDistribution: { type: "log", log: 10 } } : {}),
          stacking: { mode: options.stacked ? "normal" : "none" },
        },
      },
      overrides: [],
    },
    options: {
      legend: { displayMode: "table", placement: "bottom", calcs: ["lastNotNull", "max"] },
      tooltip: { mode: "multi", sort: "desc" },
    },
  };
}

/** One number, coloured by thresholds `[colour, from]`. */
export function number(title, description, unit, one, thresholds) {
  return {
    ...{ type: "stat", title, description, datasource },
    targets: [target(one, 0)],
    fieldConfig: {
      defaults: {
        unit,
        thresholds: {
          mode: "absolute",
          steps: thresholds.map(([color, from]) => ({ color, value: from ?? null })),
        },
      },
      overrides: [],
    },
    options: { reduceOptions: { calcs: ["lastNotNull"] }, colorMode: "background", graphMode: "area" },
  };
}

/** How values are spread over time, from the buckets of a histogram. */
export function heat(title, description, unit, expr) {
  return {
    ...{ type: "heatmap", title, description, datasource },
    targets: [{ ...target({ expr, legend: "{{le}}" }, 0), format: "heatmap" }],
    options: {
      calculate: false,
      yAxis: { unit },
      color: { scheme: "Turbo", mode: "scheme", steps: 64 },
      tooltip: { mode: "single" },
    },
  };
}

/** Puts rows of panels below each other, each panel as wide as its share. */
function place(rows) {
  const panels = [];
  let y = 0;
  for (const { height, panels: row } of rows) {
    const width = Math.floor(columns / row.length);
    row.forEach((panel, index) => {
      panels.push({ ...panel, id: panels.length + 1, gridPos: { x: index * width, y, w: width, h: height } });
    });
    y += height;
  }
  return panels;
}

/** A dashboard that answers one question. `job` is the job whose instances can be chosen. */
export function dashboard({ uid, title, question, job, rows }) {
  return {
    ...{
      uid,
      title,
      description: question,
      tags: ["sluice"],
      editable: false,
      schemaVersion: 39,
      version: 1,
    },
    ...{ refresh: "5s", time: { from: "now-15m", to: "now" }, timezone: "browser", graphTooltip: 1 },
    links: [{ type: "dashboards", tags: ["sluice"], title: "Sluice", asDropdown: true, keepTime: true }],
    templating: {
      list: [
        {
          ...{ name: "instance", label: "Instance", type: "query", datasource },
          query: { query: `label_values(up{job="${job}"}, instance)`, refId: "instance" },
          ...{ multi: true, includeAll: true, allValue: ".*", refresh: 2, sort: 1 },
          current: { text: "All", value: "$__all" },
        },
      ],
    },
    annotations: { list: [] },
    panels: place(rows),
  };
}
