// The same inference task over a narrow, lossy link by every system; what counts are correct answers in time.
import process from "node:process";
import { openRecord, resultFile } from "../record.mjs";
import { findSystem, systems } from "../systems/index.mjs";
import { INFERENCE_MS } from "../tasks/classify.mjs";
import { prepareClassify } from "../tasks/prepare-classify.mjs";
import { whyNoTunLink } from "../tun-link/build.mjs";
import { formatEndToEnd } from "./end-to-end-report.mjs";
import { findSystems } from "./find-systems.mjs";
import { variantsOf } from "./impaired-cells.mjs";
import { measureOverLink, withDefaults } from "./over-link.mjs";
import { recordCellsOverLinks } from "./record-cells.mjs";
import { createScorer } from "./score.mjs";

const defaults = { seconds: 4, rounds: 2, lanes: 2 };
export const link = { rateBitsPerSecond: 2_000_000, delayMs: 20, queueMs: 100, loss: 0.02, burst: 1 };
const framesPerSecond = 30;
const deadlineMs = 150;
/** With four under way most systems only fill the queue; with one they have the link to themselves. */
const few = 1;
const many = 4;
/** The payloads of float32 take 400 ms of the link each, those that are deflated are there to see what it is worth. */
const carried = [
  { payload: "float32", cap: few },
  { payload: "uint8", cap: few },
  { payload: "uint8", cap: many },
  { payload: "deflated", cap: few },
];
const ours = [
  { payload: "sluice", cap: few },
  { payload: "sluice", cap: many },
];

/** The other forms of Sluice are ways to carry a tensor exactly, which is not what is asked for here. */
const isMeasured = (name) => systems[name].module !== "sluice" || name === "sluice";

function cellsOf(names, rounds) {
  const all = variantsOf(names.filter(isMeasured)).flatMap((variant) =>
    (systems[variant.name].module === "sluice" ? ours : carried).map((form) => ({ ...variant, ...form })),
  );
  return Array.from({ length: rounds }, (_, round) =>
    (round % 2 === 0 ? all : [...all].reverse()).map((cell) => ({
      key: `${cell.variant}, ${cell.payload}, at most ${cell.cap} under way, round ${round}`,
      ...cell,
      round,
    })),
  ).flat();
}

async function measureCell(cell, path, { seconds, seed, scorer }) {
  const store = scorer.storeFor(cell.key);
  const { frames, ...measured } = await measureOverLink(cell, path, {
    link: { ...link, seed: seed * 1_000 + cell.round },
    task: { kind: "classify", folder: scorer.folder, payload: cell.payload, store },
    workload: { framesPerSecond, seconds, cap: cell.cap, deadlineMs },
    system: findSystem(cell.name),
  });
  const bytesUp = measured.bytesPerFrame.up * frames.length;
  const score = await scorer.score(frames, { payload: cell.payload, store, bytesUp, seconds, deadlineMs });
  return { ...measured, score };
}

export async function run(options) {
  const reason = whyNoTunLink();
  if (reason !== undefined) {
    console.error(`peers end-to-end: skipped: ${reason}`);
    return 0;
  }
  const { seconds, rounds, lanes, seed } = withDefaults(options, defaults);
  const { folder, missing } = await prepareClassify({ data: process.env.SLUICE_DATA, seed });
  if (missing !== undefined) {
    console.error(`peers end-to-end: skipped: ${missing}`);
    return 0;
  }
  const scorer = createScorer(folder);
  const names = await findSystems(options.only ?? Object.keys(systems));
  const settings = {
    ...{ command: "end-to-end", seed, seconds, rounds, lanes, link, framesPerSecond, deadlineMs },
    inferenceMs: INFERENCE_MS,
  };
  const file = options.record ? resultFile("end-to-end") : undefined;
  const record = openRecord(settings, { file, resume: options.resume });
  const cells = cellsOf(names, rounds).filter(({ key }) => options.cells.test(key) && !record.has(key));
  try {
    await recordCellsOverLinks(
      cells,
      { record, lanes, json: options.json },
      (cell, path) => measureCell(cell, path, { seconds, seed, scorer }),
      ({ score }) => `${score?.correctPerSecond} correct answers in time a second`,
    );
  } finally {
    await scorer.close();
  }
  if (!options.json) console.log(formatEndToEnd(record));
  return 0;
}
