// Tensors at 30 per second over a link of 20 Mbit/s that loses packets, by every system.
import { createProgress } from "../progress.mjs";
import { openRecord, resultFile } from "../record.mjs";
import { runCell } from "../run-cell.mjs";
import { summarise } from "../summary.mjs";
import { findSystem, systems } from "../systems/index.mjs";
import { buildTunLink, whyNoTunLink } from "../tun-link/build.mjs";
import { openTunPath, removeStaleNamespaces } from "../tun-link/open-tun-path.mjs";
import { findSystems } from "./find-systems.mjs";
import { cap, cellsOf, conditions, deadlineMs, framesPerSecond, link } from "./impaired-cells.mjs";
import { formatImpaired } from "./impaired-report.mjs";
import { runLanes } from "./run-lanes.mjs";

const defaults = { seconds: 4, rounds: 2, lanes: 2 };
const WARM_UP_SECONDS = 1;

/** The same for every system of a round, so that each meets the same chances. */
const seedOf = ({ loss, burst, round }, seed) =>
  seed * 1_000 + round * 100 + conditions.findIndex((each) => each.loss === loss && each.burst === burst);

/** Bytes on the link for each frame that was offered, IP headers and acknowledgements included. */
function bytesPerFrame({ up, down }, offered) {
  return { up: Math.round(up.offeredBytes / offered), down: Math.round(down.offeredBytes / offered) };
}

async function measureCell(cell, path, { seconds, seed }) {
  const system = findSystem(cell.name);
  const workload = {
    ...{ kind: "paced", framesPerSecond, seconds, warmUpSeconds: WARM_UP_SECONDS, cap, deadlineMs },
  };
  const parameters = { ...link, loss: cell.loss, burst: cell.burst, seed: seedOf(cell, seed) };
  if (cell.congestion !== undefined) path.setCongestionControl(cell.congestion);
  await path.set(parameters);
  const { frames, counters, client, server, about } = await runCell({
    ...{ system, host: path.serverHost, prefixes: path.prefixes, workload },
    task: { kind: "check", bytes: cell.bytes, seed },
    async around(run) {
      // Opened without counting, under the same losses.
      await path.set(parameters);
      const result = await run();
      return { ...result, counters: await path.readCounters() };
    },
  });
  const offered = Math.round((seconds + WARM_UP_SECONDS) * framesPerSecond);
  return {
    ...cell,
    figures: summarise(frames, { deadlineMs }),
    bytesPerFrame: bytesPerFrame(counters, offered),
    counters,
    ...{ client, server, about },
  };
}

/** A cell whose system fails is part of the result. */
async function measureOrTell(cell, path, options) {
  try {
    return await measureCell(cell, path, options);
  } catch (error) {
    return { ...cell, error: error.message };
  }
}

export async function run(options) {
  const reason = whyNoTunLink();
  if (reason !== undefined) {
    console.error(`peers impaired: skipped: ${reason}`);
    return 0;
  }
  const { seconds, rounds, lanes, seed } = {
    ...defaults,
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
  };
  const names = await findSystems(options.only ?? Object.keys(systems));
  const settings = {
    command: "impaired",
    seed,
    seconds,
    rounds,
    lanes,
    link,
    framesPerSecond,
    deadlineMs,
    cap,
  };
  const file = options.record ? resultFile("impaired") : undefined;
  const record = openRecord(settings, { file, resume: options.resume });
  const cells = cellsOf(names, rounds).filter(({ key }) => options.cells.test(key) && !record.has(key));
  const program = buildTunLink();
  removeStaleNamespaces();
  const paths = [];
  try {
    for (let lane = 0; lane < Math.min(lanes, cells.length); lane++) paths.push(await openTunPath(program));
    const progress = createProgress(cells.length);
    await runLanes(cells, paths, async (cell, path) => {
      const line = record.add(await measureOrTell(cell, path, { seconds, seed }));
      const { inTime, p50Ms, p99Ms } = line.figures ?? {};
      progress(
        `${cell.key}: ${line.error ?? `${(inTime * 100).toFixed(1)} % in time, ${p50Ms} / ${p99Ms} ms`}`,
      );
      if (options.json) console.log(JSON.stringify(line));
    });
  } finally {
    for (const path of paths) await path.close();
  }
  if (!options.json) console.log(formatImpaired(record));
  return 0;
}
