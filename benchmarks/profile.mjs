// Compares the total inference time that `sluice profile` predicts with what a client measures through the relay, at
// several bandwidths. Server, relay and client are processes of their own. `--help` lists the options.
import { mkdirSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { describeEnvironment, readLoad } from "./micro/transport/environment.mjs";
import { measureRtt, measureTotal, openPath, predictTotal } from "./profile/measure-total.mjs";
import { formatComparison, summarize } from "./profile/report.mjs";
import { runSluice } from "./profile/sluice-process.mjs";

const USAGE = `node benchmarks/profile.mjs [options]
  --model MODEL        default fashion
  --source WHAT        images, default test-images
  --preprocess PRESET  default none
  --splits A,B         cuts that are compared, default add_3,add_4,pool
  --megabits A,B       bandwidths of the relay, default 1,5,20,100
  --rtt MS             of the relay, default 20
  --frames N           of each run, the middle one counts, 5 to 1000, default 40
  --json               one JSON object instead of the table
  --record             write benchmarks/results/profile/MODEL.jsonl and MODEL.md
Needs a quiet machine: what else runs delays every hop, which the formula knows nothing of.`;

const RESULTS = new URL("results/profile/", import.meta.url);

function readNumber(name, text, least, most) {
  const value = Number(text);
  if (value >= least && value <= most) return value;
  throw new Error(`--${name} must be ${least} to ${most}, got ${text}`);
}

function parseOptions(args) {
  const text = (value) => ({ type: "string", default: value });
  const { values } = parseArgs({
    args,
    options: {
      ...{ model: text("fashion"), source: text("test-images"), preprocess: text("none") },
      ...{
        splits: text("add_3,add_4,pool"),
        megabits: text("1,5,20,100"),
        rtt: text("20"),
        frames: text("40"),
      },
      json: { type: "boolean", default: false },
      record: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  return {
    ...values,
    name: basename(values.model, ".onnx"),
    splits: values.splits.split(","),
    megabits: values.megabits.split(",").map((rate) => readNumber("megabits", rate, 0.01, 10_000)),
    rttMs: readNumber("rtt", values.rtt, 0, 10_000),
    frames: readNumber("frames", values.frames, 5, 1000),
  };
}

/** The profile anew for each bandwidth: machines change their pace. */
function measureTerms({ model, source, preprocess, splits }) {
  const cuts = splits.flatMap((split) => ["--split", split]);
  return runSluice([
    "profile",
    model,
    "--source",
    source,
    "--preprocess",
    preprocess,
    ...cuts,
    "--runs",
    "30",
    "--json",
  ]);
}

async function main(options) {
  const environment = { ...describeEnvironment(), loadBefore: readLoad() };
  const results = [];
  for (const megabits of options.megabits) {
    const { options: ways } = await measureTerms(options);
    const path = await openPath(options.model, { megabits, rttMs: options.rttMs });
    try {
      const rttMs = await measureRtt(path);
      for (const way of ways.filter(({ strategy }) => strategy !== "client")) {
        const predictedMs = predictTotal(way, { megabits, rttMs });
        const measured = await measureTotal(path, options, way, predictedMs);
        results.push({ megabits, way, pathRttMs: rttMs, predictedMs, ...measured });
      }
    } finally {
      await path.close();
    }
  }
  const summary = summarize(results);
  const environmentAfter = { ...environment, loadAfter: readLoad() };
  const report = formatComparison(results, summary, environmentAfter, options);
  process.stdout.write(
    options.json ? `${JSON.stringify({ environment: environmentAfter, summary, results })}\n` : report,
  );
  if (!options.record) return;
  const lines = [{ environment: environmentAfter, summary }, ...results].map(
    (line) => `${JSON.stringify(line)}\n`,
  );
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(new URL(`${options.name}.jsonl`, RESULTS), lines.join(""));
  writeFileSync(new URL(`${options.name}.md`, RESULTS), report);
}

const options = parseOptions(process.argv.slice(2));
if (options.help) console.log(USAGE);
else await main(options);
