/** The plots over time: one uPlot each, drawn twice a second. */
import uPlot from "uplot";
import { element } from "./element.js";
import type { HistoryStep } from "./history.js";
import { colour } from "./theme.js";

interface SeriesPlan {
  readonly key: keyof HistoryStep;
  readonly name: string;
  /** Role of its colour. */
  readonly colour: string;
  readonly dash?: readonly number[];
}

interface PlotPlan {
  readonly id: string;
  readonly unit: string;
  readonly digits: number;
  /** Of the value axis; the upper end grows with the values. */
  readonly top: number;
  readonly isPercent?: boolean;
  readonly series: readonly SeriesPlan[];
}

const plans: readonly PlotPlan[] = [
  {
    ...{ id: "plot-on-time", unit: " %", digits: 0, top: 100, isPercent: true },
    series: [{ key: "onTimePercent", name: "in time", colour: "series-2" }],
  },
  {
    ...{ id: "plot-latency", unit: " ms", digits: 0, top: 50 },
    series: [
      { key: "medianMs", name: "median", colour: "series-1" },
      { key: "latePercentileMs", name: "95 %", colour: "series-3", dash: [5, 4] },
    ],
  },
  {
    ...{ id: "plot-bandwidth", unit: "", digits: 2, top: 1 },
    series: [
      { key: "bandwidthMegabits", name: "estimate", colour: "series-4", dash: [5, 4] },
      { key: "usedMegabits", name: "used", colour: "series-1" },
    ],
  },
  {
    ...{ id: "plot-bytes", unit: " B", digits: 0, top: 1_000 },
    series: [{ key: "bytesPerFrame", name: "sent", colour: "series-1" }],
  },
  {
    ...{ id: "plot-loss", unit: " %", digits: 1, top: 5 },
    series: [
      { key: "lostPercent", name: "lost", colour: "series-5" },
      { key: "concealedPercent", name: "concealed", colour: "lost", dash: [5, 4] },
      { key: "repairedPercent", name: "repaired", colour: "series-2", dash: [2, 3] },
    ],
  },
  {
    ...{ id: "plot-accuracy", unit: " %", digits: 0, top: 100, isPercent: true },
    series: [{ key: "accuracyPercent", name: "right", colour: "series-2" }],
  },
];

const heightPx = 138;
const windowSeconds = 60;

export interface Plots {
  draw(steps: readonly HistoryStep[]): void;
  /** Takes the colours of the present theme. */
  recolour(): void;
}

interface Plot {
  draw(steps: readonly HistoryStep[]): void;
  destroy(): void;
}

export function createPlots(): Plots {
  let plots = plans.map(createPlot);
  let last: readonly HistoryStep[] = [];
  /** One plot in each frame of the screen: all at once would hold the page up. */
  function drawFrom(index: number): void {
    plots[index]?.draw(last);
    if (index + 1 < plots.length) requestAnimationFrame(() => drawFrom(index + 1));
  }
  return {
    draw(steps) {
      last = steps;
      requestAnimationFrame(() => drawFrom(0));
    },
    recolour() {
      for (const plot of plots) plot.destroy();
      plots = plans.map(createPlot);
      for (const plot of plots) plot.draw(last);
    },
  };
}

function createPlot(plan: PlotPlan): Plot {
  const box = element(plan.id, HTMLDivElement);
  const legend = document.createElement("div");
  legend.className = "legend";
  const values = plan.series.map(({ name, colour: role }) => {
    const entry = document.createElement("span");
    entry.style.setProperty("--dot", colour(role));
    const value = document.createElement("b");
    entry.append(`${name} `, value);
    legend.append(entry);
    return value;
  });
  const axis = {
    stroke: colour("ink-2"),
    grid: { stroke: colour("line"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif",
  };
  const plot = new uPlot(
    {
      ...{ width: Math.max(120, box.clientWidth), height: heightPx, legend: { show: false } },
      cursor: { show: false },
      padding: [6, 14, 0, 0],
      scales: {
        x: { time: false, range: (_, __, max) => [max - windowSeconds, max] },
        y: { range: (_, __, max) => [0, plan.isPercent ? 100 : niceTop(Math.max(plan.top, max ?? 0))] },
      },
      axes: [
        {
          ...axis,
          size: 22,
          splits: (_, __, ___, max) => [3, 2, 1, 0].map((i) => max - (i * windowSeconds) / 3),
          values: (u, splits) => splits.map((at) => `${Math.round(at - (u.scales.x?.max ?? at))} s`),
        },
        {
          ...axis,
          size: 44,
          splits: (_, __, min, max) => [min, (min + max) / 2, max],
          values: (_, splits) => splits.map(formatTick),
        },
      ],
      series: [
        {},
        ...plan.series.map(({ colour: role, dash }) => ({
          ...{ stroke: colour(role), width: 2, points: { show: false }, spanGaps: false },
          ...(dash ? { dash: [...dash] } : {}),
        })),
      ],
    },
    plan.series.reduce<(number | null)[][]>((data) => [...data, []], [[]]) as uPlot.AlignedData,
    box,
  );
  box.prepend(legend);
  const watch = new ResizeObserver(() => {
    const width = Math.max(120, box.clientWidth);
    if (width !== plot.width) plot.setSize({ width, height: heightPx });
  });
  watch.observe(box);
  return {
    draw(steps) {
      const columns = plan.series.map(({ key }) => steps.map((step) => step[key]));
      plot.setData([steps.map(({ atSeconds }) => atSeconds), ...columns] as uPlot.AlignedData);
      for (const [i, { key }] of plan.series.entries()) {
        const value = steps.at(-1)?.[key];
        values[i]!.textContent =
          value === null || value === undefined ? "–" : `${value.toFixed(plan.digits)}${plan.unit}`;
      }
    },
    destroy() {
      watch.disconnect();
      plot.destroy();
      legend.remove();
    },
  };
}

/** The next number that reads well at half of it, too. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 6, 8, 10].map((step) => step * power).find((top) => top >= value) ?? value;
}

function formatTick(value: number): string {
  if (value >= 10_000) return `${Math.round(value / 1_000)}k`;
  return value >= 10 || value === 0 ? String(Math.round(value)) : value.toFixed(1);
}
