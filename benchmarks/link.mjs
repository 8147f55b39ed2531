// Measures the protocol over a narrow, lossy link, on virtual time and over the real stack. `--help` lists the options.
import { writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { cellName, cells, protections } from "./link/cells.mjs";
import { measureCore } from "./link/core-throughput.mjs";
import { figuresOf, missedBounds } from "./link/figures.mjs";
import { formatReport } from "./link/report.mjs";
import { simulate } from "./link/simulate.mjs";
import { streamReally } from "./link/stream.mjs";
import { describeEnvironment, readLoad } from "./micro/transport/environment.mjs";

const USAGE = `node benchmarks/link.mjs [options]
  --kinds A,B       of simulated, real, core; default all
  --protect A,B     of ${Object.keys(protections).join(", ")}: what is done about loss; default none
  --only REGEX      only the cells whose name matches
  --seconds S       of each cell, 1 to 3600, default 30
  --seed N          of the links, default 1
  --json            one JSON line for each cell on standard output instead of the tables
  --record          write benchmarks/results/link.jsonl and link.md
  --note TEXT       said beside a recorded result`;

const RESULTS = new URL("results/", import.meta.url);
const runs = { simulated: simulate, real: streamReally };
const coreRounds = 7;
const coreFrames = 150;

function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      kinds: { type: "string", default: "simulated,real,core" },
      protect: { type: "string", default: "none" },
      only: { type: "string", default: "" },
      seconds: { type: "string", default: "30" },
      seed: { type: "string", default: "1" },
      note: { type: "string", default: "" },
      json: { type: "boolean", default: false },
      record: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const seconds = Number(values.seconds);
  if (!(seconds >= 1 && seconds <= 3_600))
    throw new Error(`--seconds must be 1 to 3600, got ${values.seconds}`);
  const kinds = values.kinds.split(",");
  const unknown = kinds.find((kind) => !["simulated", "real", "core"].includes(kind));
  if (unknown !== undefined)
    throw new Error(`--kinds: unknown ${JSON.stringify(unknown)} (known: simulated, real, core)`);
  const protect = values.protect.split(",");
  const strange = protect.find((name) => !Object.hasOwn(protections, name));
  if (strange !== undefined)
    throw new Error(
      `--protect: unknown ${JSON.stringify(strange)} (known: ${Object.keys(protections).join(", ")})`,
    );
  return { ...values, seconds, kinds, protect, only: new RegExp(values.only), seed: Number(values.seed) };
}

function measureCores() {
  measureCore(coreFrames);
  const rates = Array.from({ length: coreRounds }, () => measureCore(coreFrames)).sort((a, b) => a - b);
  return { median: rates[coreRounds >> 1], least: rates[0], greatest: rates.at(-1), rounds: coreRounds };
}

async function main(options) {
  const environment = describeEnvironment();
  const before = readLoad();
  const results = [];
  for (const kind of ["simulated", "real"].filter((name) => options.kinds.includes(name))) {
    const wanted = cells.flatMap((cell) => options.protect.map((protection) => ({ ...cell, protection })));
    for (const cell of wanted.filter((each) => options.only.test(cellName(each)))) {
      const raw = await runs[kind](cell, options);
      const figures = figuresOf({ ...raw, bytes: cell.bytes, seconds: options.seconds });
      const result = { kind, cell, figures, missed: missedBounds(cell.bytes, figures) };
      results.push(result);
      process.stderr.write(`${kind} ${cellName(cell)}: ${JSON.stringify(figures)}\n`);
      if (options.json) console.log(JSON.stringify(result));
    }
  }
  const core = options.kinds.includes("core") ? measureCores() : undefined;
  if (options.json && core) console.log(JSON.stringify({ kind: "core", core }));
  const report = formatReport({ environment, options, load: { before, after: readLoad() }, results, core });
  if (!options.json) console.log(report);
  if (!options.record) return;
  const { seconds, seed, note } = options;
  const lines = [
    { environment, seconds, seed, note, loadBefore: before },
    ...results,
    { kind: "core", core },
  ];
  writeFileSync(new URL("link.jsonl", RESULTS), lines.map((value) => `${JSON.stringify(value)}\n`).join(""));
  writeFileSync(new URL("link.md", RESULTS), report);
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else await main(options);
} catch (error) {
  console.error(`link benchmark: ${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
