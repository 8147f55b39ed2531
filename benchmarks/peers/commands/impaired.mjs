// Tensors at 30 per second over a link of 20 Mbit/s that loses packets: `impaired` by every system, `bounds` what has to
// hold, longer and by those alone that come near it.

import { startPace } from "../../pace/start-pace.mjs";
import { openRecord, resultFile } from "../record.mjs";
import { findSystem, systems } from "../systems/index.mjs";
import { whyNoTunLink } from "../tun-link/build.mjs";
import { findSystems } from "./find-systems.mjs";
import {
  boundCellsOf,
  cap,
  cellsOf,
  conditions,
  deadlineMs,
  framesPerSecond,
  link,
} from "./impaired-cells.mjs";
import { formatImpaired } from "./impaired-report.mjs";
import { measureOverLink, withDefaults } from "./over-link.mjs";
import { recordCellsOverLinks } from "./record-cells.mjs";

const throughLink = Object.keys(systems).filter((name) => !systems[name].isForLoopback);

const kinds = {
  impaired: { seconds: 4, rounds: 2, lanes: 2, names: throughLink, cells: cellsOf },
  bounds: {
    seconds: 10,
    rounds: 3,
    lanes: 1,
    names: ["sluice", "ws", "zeromq", "http2"],
    cells: boundCellsOf,
  },
};

/** The same for every system of a round, so that each meets the same chances. */
const seedOf = ({ loss, burst, round }, seed) =>
  seed * 1_000 + round * 100 + conditions.findIndex((each) => each.loss === loss && each.burst === burst);

async function measureCell(cell, path, { seconds, seed, pace }) {
  const { frames: _, ...measured } = await measureOverLink(cell, path, {
    link: { ...link, loss: cell.loss, burst: cell.burst, seed: seedOf(cell, seed) },
    task: { kind: "check", bytes: cell.bytes, seed },
    workload: { framesPerSecond, seconds, cap, deadlineMs },
    system: findSystem(cell.name),
    pace,
  });
  return measured;
}

export async function run(options) {
  const { command } = options;
  const { names: usual, cells: listCells, ...defaults } = kinds[command];
  const reason = whyNoTunLink();
  if (reason !== undefined) {
    console.error(`peers ${options.command}: skipped: ${reason}`);
    return 0;
  }
  const { seconds, rounds, lanes, seed } = withDefaults(options, defaults);
  const names = await findSystems(options.only ?? usual);
  const settings = {
    command,
    seed,
    seconds,
    rounds,
    lanes,
    link,
    framesPerSecond,
    deadlineMs,
    cap,
  };
  const file = options.record ? resultFile(command) : undefined;
  const record = openRecord(settings, { file, resume: options.resume });
  const cells = listCells(names, rounds).filter(({ key }) => options.cells.test(key) && !record.has(key));
  // One probe sees one cell at a time.
  const pace = lanes === 1 ? await startPace() : undefined;
  try {
    await recordCellsOverLinks(
      cells,
      { record, lanes, json: options.json },
      (cell, path) => measureCell(cell, path, { seconds, seed, pace }),
      ({ figures: { inTime, p50Ms, p99Ms }, slow }) =>
        `${(inTime * 100).toFixed(1)} % in time${slow ? `, clear of slow moments ${(slow.clear.inTime * 100).toFixed(1)} %` : ""}, ${p50Ms} / ${p99Ms} ms`,
    );
  } finally {
    await pace?.end();
  }
  if (!options.json) console.log(formatImpaired(record));
  return 0;
}
