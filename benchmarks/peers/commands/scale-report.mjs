import { systems } from "../systems/index.mjs";
import { formatFailures } from "./loopback-report.mjs";
import { overRounds, threeDigits } from "./over-rounds.mjs";
import { percent } from "./report-cells.mjs";
import { axes } from "./scale-cells.mjs";

const latencies = [
  ["p50 ms", ({ figures }) => figures.p50Ms, threeDigits],
  ["p99 ms", ({ figures }) => figures.p99Ms, threeDigits],
];
const cpu = [
  ["CPU ms a frame, client", ({ cpuMsPerFrame }) => cpuMsPerFrame.client, threeDigits],
  ["server", ({ cpuMsPerFrame }) => cpuMsPerFrame.server, threeDigits],
];
const memory = [["server MB", ({ rssMB }) => rssMB.server, threeDigits]];
const inTime = ["in time, %", ({ figures }) => figures.inTime, percent];

/** Columns of each axis' table. */
const columns = {
  sessions: [
    ["opened in s", ({ connectMs }) => connectMs / 1_000, threeDigits],
    ...latencies,
    ...cpu,
    ...memory,
  ],
  bytes: [
    ["MB/s", ({ figures }) => figures.megabytesPerSecond, threeDigits],
    ...latencies,
    ...cpu,
    ...memory,
  ],
  loss: [
    inTime,
    ["complete, %", ({ figures }) => figures.complete, percent],
    ...latencies,
    ["bytes a frame", ({ bytesPerFrame }) => bytesPerFrame, threeDigits],
    ...cpu,
  ],
  rttMs: [inTime, ...latencies, ["bytes a frame", ({ bytesPerFrame }) => bytesPerFrame, threeDigits], ...cpu],
};

const valueTexts = {
  sessions: (value) => `${value}`,
  bytes: (value) => (value >= 1 << 20 ? `${value / (1 << 20)} MiB` : `${value / 1_024} KiB`),
  loss: (value) => `${Math.round(value * 100)} %`,
  rttMs: (value) => `${value} ms`,
};

function formatAxis(axis, cells) {
  const { title, systems: names, values } = axes[axis];
  const rows = values.flatMap((value) =>
    names.flatMap((name) => {
      const mine = cells.filter(
        (cell) =>
          cell.axis === axis && cell.value === value && cell.name === name && cell.error === undefined,
      );
      if (mine.length === 0) return [];
      const texts = columns[axis].map(([, pick, format]) => overRounds(mine.map(pick), format));
      return `| ${[valueTexts[axis](value), systems[name].title, ...texts].join(" | ")} |`;
    }),
  );
  if (rows.length === 0) return [];
  const head = [title, "system", ...columns[axis].map(([name]) => name)];
  return [
    `### ${title}`,
    "",
    `| ${head.join(" | ")} |`,
    `| ${head.map(() => "---").join(" | ")} |`,
    ...rows,
    "",
  ];
}

/** Tables of the scale form, one for each axis. */
export function formatScale({ cells }) {
  return [...Object.keys(axes).flatMap((axis) => formatAxis(axis, cells)), ...formatFailures(cells)].join(
    "\n",
  );
}
