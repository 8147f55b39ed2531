// Tensors on loopback as fast as answers come, one and several under way, by every system; and the echo of datagrams.
import { openRecord, resultFile } from "../record.mjs";
import { runCell } from "../run-cell.mjs";
import { findSystem, systems, withStreamDeadline } from "../systems/index.mjs";
import { echoCellsOf, measureEcho } from "./echo.mjs";
import { findSystems } from "./find-systems.mjs";
import { cellsOf, deadlineMs, inFlights } from "./loopback-cells.mjs";
import { formatLoopback } from "./loopback-report.mjs";
import { recordCells } from "./record-cells.mjs";

const defaults = { seconds: 1, rounds: 2 };
/**
 * Until V8 has compiled what is hot, for all systems alike: it counts calls, not seconds, and one frame at a time makes
 * few of them.
 */
const warmUp = { inFlight: 8, seconds: 2.5 };
const HOST = "127.0.0.1";

/** CPU of both ends for the work done; the memory of both at its most. */
function costsOf({ client, server }, answered, bytes) {
  const cpuSeconds = client.cpuSeconds + server.cpuSeconds;
  return {
    cpuSecondsPerGB: (cpuSeconds / (answered * bytes)) * 1e9,
    cpuSecondsPer1000Frames: (cpuSeconds / answered) * 1_000,
    rssMB: { client: client.rssBytes / 1e6, server: server.rssBytes / 1e6 },
  };
}

/** One after another between the same processes, behind a warm-up, whose CPU does not count. */
async function measureInFlights(run, bytes, seconds) {
  const closed = { kind: "closed", deadlineMs, warmUpSeconds: 0 };
  await run({ ...closed, ...warmUp });
  const results = [];
  for (const inFlight of inFlights) {
    const { client, server, ...figures } = await run({ ...closed, inFlight, seconds });
    const { answered, elapsedMs } = figures;
    const framesPerSecond = (answered * 1_000) / elapsedMs;
    results.push({
      inFlight,
      ...figures,
      framesPerSecond,
      megabytesPerSecond: (framesPerSecond * bytes) / 1e6,
      ...costsOf({ client, server }, answered, bytes),
    });
  }
  return { results };
}

export async function measureTensors({ name, bytes }, { seconds, seed }) {
  const workloads = warmUp.seconds + inFlights.length * seconds;
  const { about, results } = await runCell({
    ...{ system: withStreamDeadline(findSystem(name), deadlineMs), host: HOST },
    workload: { seconds: workloads, warmUpSeconds: 0 },
    task: { kind: "check", bytes, seed },
    around: (run) => measureInFlights(run, bytes, seconds),
  });
  return { results, about };
}

const measureCell = (cell, options) =>
  cell.kind === "echo" ? measureEcho(cell, options) : measureTensors(cell, options);

function describe({ results, echoesPerSecond }) {
  if (echoesPerSecond !== undefined) return `${Math.round(echoesPerSecond)} datagrams/s`;
  return results
    .map(
      ({ inFlight, framesPerSecond, megabytesPerSecond, p50Ms }) =>
        `${inFlight} in flight ${Math.round(framesPerSecond)}/s ${megabytesPerSecond.toFixed(1)} MB/s ${p50Ms} ms`,
    )
    .join(", ");
}

export async function run(options) {
  const { seed, seconds = defaults.seconds, rounds = defaults.rounds } = options;
  const names = await findSystems(options.only ?? Object.keys(systems));
  const file = options.record ? resultFile("loopback") : undefined;
  const settings = { command: "loopback", seed, seconds, rounds, deadlineMs };
  const record = openRecord(settings, { file, resume: options.resume });
  const all = [...cellsOf(names, rounds), ...(await echoCellsOf(options.only, rounds))];
  const cells = all.filter(({ key }) => options.cells.test(key) && !record.has(key));
  await recordCells(
    cells,
    { record, json: options.json },
    (cell) => measureCell(cell, { seconds, seed }),
    describe,
  );
  if (!options.json) console.log(formatLoopback(record));
  return 0;
}
