// How the cost of Sluice, and of a few others, grows with sessions, size, loss and round trip.
import { createProgress } from "../progress.mjs";
import { openRecord, resultFile } from "../record.mjs";
import { runCell } from "../run-cell.mjs";
import { summarise } from "../summary.mjs";
import { findSystem } from "../systems/index.mjs";
import { whyNoTunLink } from "../tun-link/build.mjs";
import { findSystems } from "./find-systems.mjs";
import { axes, cellsOf, framesPerSecond, link, slackMs, stream } from "./scale-cells.mjs";
import { formatScale } from "./scale-report.mjs";
import { openTunPaths } from "./tun-paths.mjs";

const defaults = { seconds: 2.5, rounds: 1 };
const WARM_UP_SECONDS = 1;
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

/** A system with options of its own and those of a stream of Sluice's, which others have no use for. */
function withOptions(name, { deadlineMs }) {
  const system = findSystem(name);
  const options = system.options ?? {};
  return {
    ...system,
    options: { ...options, server, stream: { ...options.stream, deadlineMs } },
  };
}

async function runPaced(cell, { bytes, rate, cap, deadlineMs, seconds, seed, sessions = 1, path, around }) {
  const workload = {
    kind: "paced",
    ...{ framesPerSecond: rate, seconds, warmUpSeconds: WARM_UP_SECONDS, cap, deadlineMs },
  };
  const { frames, ...rest } = await runCell({
    ...{ system: withOptions(cell.name, { deadlineMs }), workload, around, sessions },
    ...(path === undefined ? { host: HOST } : { host: path.serverHost, prefixes: path.prefixes }),
    task: { kind: "check", bytes, seed },
  });
  const sent = Math.round((seconds + WARM_UP_SECONDS) * rate);
  return { figures: summarise(frames, { deadlineMs }), connectMs: rest.connectMs, ...costsOf(rest, sent) };
}

/** The same frames by more and more sessions. */
const measureSessions = (cell, options) =>
  runPaced(cell, {
    ...{ bytes: SESSION_BYTES, rate: framesPerSecond, cap: framesPerSecond, ...options },
    ...{ deadlineMs: LOOPBACK_DEADLINE_MS, sessions: cell.value },
  });

/** One tensor at a time. */
async function measureSize(cell, { seconds, seed }) {
  const workload = { kind: "closed", inFlight: 1, warmUpSeconds: 0, deadlineMs: LOOPBACK_DEADLINE_MS };
  const measured = await runCell({
    system: withOptions(cell.name, { deadlineMs: LOOPBACK_DEADLINE_MS }),
    host: HOST,
    workload: { seconds: seconds + WARM_UP_SECONDS, warmUpSeconds: 0 },
    task: { kind: "check", bytes: cell.value, seed },
    async around(run) {
      await run({ ...workload, seconds: WARM_UP_SECONDS });
      return run({ ...workload, seconds });
    },
  });
  const { about: _, client, server: served, connectMs: __, ...figures } = measured;
  const megabytesPerSecond = (figures.answered * cell.value) / figures.elapsedMs / 1e3;
  return { figures: { ...figures, megabytesPerSecond }, ...costsOf(measured, figures.answered) };
}

/** Tensors of 5,120 B at 30 a second over the TUN link. */
async function measureOverLink(cell, options, path) {
  const { axis, value } = cell;
  const delayMs = axis === "rttMs" ? value / 2 : link.delayMs;
  const parameters = {
    ...{ ...link, delayMs, seed: options.seed },
    ...(axis === "loss" ? { loss: value } : {}),
  };
  await path.set(parameters);
  let counters;
  const measured = await runPaced(cell, {
    ...{ bytes: stream.bytes, rate: stream.framesPerSecond, cap: stream.cap, ...options },
    ...{ deadlineMs: 2 * delayMs + slackMs, path },
    async around(run) {
      await path.set(parameters);
      const result = await run();
      counters = await path.readCounters();
      return result;
    },
  });
  const offered = Math.round((options.seconds + WARM_UP_SECONDS) * stream.framesPerSecond);
  return { ...measured, bytesPerFrame: Math.round(counters.up.offeredBytes / offered) };
}

const measures = {
  sessions: measureSessions,
  bytes: measureSize,
  loss: measureOverLink,
  rttMs: measureOverLink,
};

/** A cell whose system fails is part of the result. */
async function measureOrTell(cell, options, path) {
  try {
    return { ...cell, ...(await measures[cell.axis](cell, options, path)) };
  } catch (error) {
    return { ...cell, error: error.message };
  }
}

/** A path over the link, where it can be had; why not is said, and the cells that need it are left out. */
async function openPaths(cells) {
  const isNeeded = cells.some(({ axis }) => axes[axis].needsLink);
  const reason = isNeeded ? whyNoTunLink() : undefined;
  if (reason !== undefined) console.error(`peers scale: loss and round trip are left out: ${reason}`);
  if (!isNeeded || reason !== undefined) return undefined;
  return openTunPaths(1);
}

function describe({ error, figures, rssMB }) {
  if (error !== undefined) return error;
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
  const progress = createProgress(cells.length);
  try {
    for (const cell of cells) {
      const line = record.add(await measureOrTell(cell, { seconds, seed }, path));
      progress(`${cell.key}: ${describe(line)}`);
      if (options.json) console.log(JSON.stringify(line));
    }
  } finally {
    await paths?.close();
  }
  if (!options.json) console.log(formatScale(record));
  return 0;
}
