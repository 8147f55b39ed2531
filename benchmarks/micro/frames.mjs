// Measures what a frame costs outside of the transport: in the codec, in concealment and in both protocol cores, if asked beside
// another checkout in the same turns. `--help` lists the options; it never decides a test.
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { quantile } from "../accuracy/quantile.mjs";
import { openCases } from "./frames/cases.mjs";
import { openCodecPath } from "./frames/codec-path.mjs";
import { openSessionPath } from "./frames/session-path.mjs";
import { parseCount } from "./parse-count.mjs";

const USAGE = `node benchmarks/micro/frames.mjs [options]
  --rounds N      windows of each measure, 1 to 1000, default 20; the two checkouts take turns
  --frames N      frames of a window, 1 to 1000, default 10
  --only REGEX    only the measures whose title matches
  --against DIR   another built checkout to measure beside this one`;

const HERE = fileURLToPath(new URL("../../", import.meta.url));
/** Slices of a frame that do not come. */
const MISSING = [0, 1, 5];
const LOSS = 0.02;

function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string", default: "20" },
      frames: { type: "string", default: "10" },
      only: { type: "string", default: "" },
      against: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  return {
    ...values,
    rounds: parseCount("rounds", values.rounds, 1_000),
    frames: parseCount("frames", values.frames, 1_000),
    only: new RegExp(values.only),
  };
}

/** Microseconds of one call. */
function time(work, frames) {
  const startMs = performance.now();
  for (let i = 0; i < frames; i++) work();
  return ((performance.now() - startMs) * 1000) / frames;
}

/** Each: a title, and what measures a window in one checkout. */
async function openMeasures(roots, each, only) {
  const paths = await Promise.all(roots.map((root) => openCodecPath(root, each)));
  const title = (what) => `${each.name} in ${paths[0].slices}: ${what}`;
  const measures = [];
  if (only.test(title("encode")))
    measures.push({
      title: title("encode"),
      windows: paths.map(
        ({ encode }) =>
          (frames) =>
            time(encode, frames),
      ),
    });
  for (const missing of MISSING) {
    const name = title(`decode, conceal, ${missing} missing`);
    if (!only.test(name)) continue;
    const receives = await Promise.all(paths.map((path) => path.openReceive(missing)));
    measures.push({ title: name, windows: receives.map((receive) => (frames) => time(receive, frames)) });
  }
  const names = { client: title("core of the client"), server: title("core of the server") };
  if (!Object.values(names).some((name) => only.test(name))) return measures;
  const sessions = await Promise.all(roots.map((root, i) => openSessionPath(root, paths[i], LOSS)));
  const window = (session, side) => (frames) => {
    session.takeUsed();
    for (let i = 0; i < frames; i++) session.run();
    const used = session.takeUsed();
    return used[side] / Math.max(1, used.delivered);
  };
  for (const side of ["client", "server"])
    measures.push({ title: names[side], windows: sessions.map((session) => window(session, side)) });
  return measures;
}

async function main({ rounds, frames, only, against }) {
  const roots = against === undefined ? [HERE] : [`${against}/`, HERE];
  for (const each of await openCases(process.env.SLUICE_DATA)) {
    for (const { title, windows } of await openMeasures(roots, each, only)) {
      const figures = roots.map(() => []);
      // The first fifth is for V8 to compile.
      const warmUp = Math.ceil(rounds / 5);
      for (let round = -warmUp; round < rounds; round++) {
        const order = round % 2 === 0 ? windows.keys() : [...windows.keys()].reverse();
        for (const i of order) {
          const figure = windows[i](frames);
          if (round >= 0) figures[i].push(figure);
        }
      }
      const texts = figures.map(
        (values) => `${Math.min(...values).toFixed(0)} (${quantile(values, 1 / 4).toFixed(0)})`,
      );
      console.log(`${title.padEnd(52)} ${texts.join("  ->  ")}`);
    }
  }
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else {
    console.log("Microseconds of a frame: least (lower quartile) of the windows");
    await main(options);
  }
} catch (error) {
  process.stderr.write(`${error.stack}\n${USAGE}\n`);
  process.exitCode = 2;
}
