// How the cost of Sluice, and of a few others, grows with sessions, size, loss and round trip.
import { openRecord, resultFile } from "../record.mjs";
import { runCell } from "../run-cell.mjs";
import { summarise } from "../summary.mjs";
import { findSystem, withStreamDeadline } from "../systems/index.mjs";
import { whyNoTunLink } from "../tun-link/build.mjs";
import { findSystems } from "./find-systems.mjs";
import { measureOverLink } from "./over-link.mjs";
import { recordCells } from "./record-cells.mjs";
import { axes, cellsOf, framesPerSecond, link, slackMs, stream } from "./scale-cells.mjs";
import { formatScale } from "./scale-report.mjs";
import { openTunPaths } from "./tun-paths.mjs";

const defaults = { seconds: 2.5, rounds: 1 };
/** Frames come at a steady rate. */
const PACED_WARM_UP_SECONDS = 1;
/** Frames come as fast as they go: until V8 has compiled what is hot. */
const CLOSED_WARM_UP_SECONDS = 1.5;
const HOST = "127.0.0.1";
/** Nothing on loopback is late, a tensor of 16 MiB included. */
const LOOPBACK_DEADLINE_MS = 5_000;
const SESSION_BYTES = 1_024;
/** One cell opens 500 sessions, all from this machine. */
const server = { maxConnections: 1_000 };

const costsOf = ({ client, server: served }, frames) => ({
  cpuMsPerFrame: { client: (client.cpuSeconds / frames) * 1e3, server: (served.cpuSeconds / frames) * 1e3 },
  rssMB: { client: client.rssBytes / 1e6, server: served.rssBytes / 1e6 },
});

function systemOf({ name }, deadlineMs) {
  const system = withStreamDeadline(findSystem(name), deadlineMs);
  return { ...system, options: { ...system.options, server } };
}

/** The same frames by more and more sessions. */
async function measureSessions(cell, { seconds, seed }) {
  const deadlineMs = LOOPBACK_DEADLINE_MS;
  const { frames, connectMs, ...used } = await runCell({
    ...{ system: systemOf(cell, deadlineMs), host: HOST, sessions: cell.value },
    workload: {
      ...{ kind: "paced", framesPerSecond, seconds, warmUpSeconds: PACED_WARM_UP_SECONDS },
      ...{ cap: framesPerSecond, deadlineMs },
    },
    task: { kind: "check", bytes: SESSION_BYTES, seed },
  });
  const sent = Math.round((seconds + PACED_WARM_UP_SECONDS) * framesPerSecond);
  return { figures: summarise(frames, { deadlineMs }), connectMs, ...costsOf(used, sent) };
}

/** One tensor at a time. */
async function measureSize(cell, { seconds, seed }) {
  const workload = { kind: "closed", inFlight: 1, warmUpSeconds: 0, deadlineMs: LOOPBACK_DEADLINE_MS };
  const measured = await runCell({
    system: systemOf(cell, LOOPBACK_DEADLINE_MS),
    host: HOST,
    workload: { seconds: seconds + CLOSED_WARM_UP_SECONDS, warmUpSeconds: 0 },
    task: { kind: "check", bytes: cell.value, seed },
    async around(run) {
      await run({ ...workload, seconds: CLOSED_WARM_UP_SECONDS });
      return run({ ...workload, seconds });
    },
  });
  const { about: _, client, server: served, connectMs: __, ...figures } = measured;
  const megabytesPerSecond = (figures.answered * cell.value) / figures.elapsedMs / 1e3;
  return { figures: { ...figures, megabytesPerSecond }, ...costsOf(measured, figures.answered) };
}

/** Tensors of 5,120 B at 30 a second over the TUN link. */
async function measureStream(cell, { seconds, seed }, path) {
  const { axis, value } = cell;
  const delayMs = axis === "rttMs" ? value / 2 : link.delayMs;
  const deadlineMs = 2 * delayMs + slackMs;
  const { figures, bytesPerFrame, ...used } = await measureOverLink({}, path, {
    link: { ...link, delayMs, seed, ...(axis === "loss" ? { loss: value } : {}) },
    task: { kind: "check", bytes: stream.bytes, seed },
    workload: { framesPerSecond: stream.framesPerSecond, cap: stream.cap, seconds, deadlineMs },
    system: systemOf(cell, deadlineMs),
  });
  return { figures, ...costsOf(used, used.offered), bytesPerFrame: bytesPerFrame.up };
}

const measures = {
  sessions: measureSessions,
  bytes: measureSize,
  loss: measureStream,
  rttMs: measureStream,
};

/** A path over the link, where it can be had; why not is said, and the cells that need it are left out. */
async function openPaths(cells) {
  const isNeeded = cells.some(({ axis }) => axes[axis].needsLink);
  const reason = isNeeded ? whyNoTunLink() : undefined;
  if (reason !== undefined) console.error(`peers scale: loss and round trip are left out: ${reason}`);
  if (!isNeeded || reason !== undefined) return undefined;
  return openTunPaths(1);
}

function describe({ figures, rssMB }) {
  const { p50Ms, p99Ms, inTime } = figures;
  const share = inTime === undefined ? "" : `, ${(inTime * 100).toFixed(1)} % in time`;
  return `${p50Ms} / ${p99Ms} ms${share}, server ${rssMB.server.toFixed(0)} MB`;
}

export async function run(options) {
  const { seed, seconds = defaults.seconds, rounds = defaults.rounds } = options;
  const known = [...new Set(Object.values(axes).flatMap(({ systems }) => systems))];
  const names = await findSystems(options.only ?? known);
  const file = options.record ? resultFile("scale") : undefined;
  const settings = { command: "scale", seed, seconds, rounds, link, stream, slackMs, framesPerSecond };
  const record = openRecord(settings, { file, resume: options.resume });
  const wanted = cellsOf(names, rounds).filter(({ key }) => options.cells.test(key) && !record.has(key));
  const paths = await openPaths(wanted);
  const [path] = paths?.all ?? [];
  const cells = wanted.filter(({ axis }) => path !== undefined || !axes[axis].needsLink);
  try {
    await recordCells(
      cells,
      { record, json: options.json, lanes: [path] },
      (cell, lane) => measures[cell.axis](cell, { seconds, seed }, lane),
      describe,
    );
  } finally {
    await paths?.close();
  }
  if (!options.json) console.log(formatScale(record));
  return 0;
}
