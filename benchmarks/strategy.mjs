// Compares the live choice of where a network runs with each fixed one, over a path that changes. `--help` lists the options.
import { mkdirSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { findPreset, presets } from "./accuracy/presets.mjs";
import { describeEnvironment, readLoad } from "./micro/transport/environment.mjs";
import { findSlowdown } from "./strategy/device.mjs";
import { comparePhases, formatReport } from "./strategy/report.mjs";
import { runStream, startServer } from "./strategy/run-stream.mjs";
import { openScenario } from "./strategy/scenario.mjs";
import { settings } from "./strategy/settings.mjs";

const USAGE = `node benchmarks/strategy.mjs [options]
  --setting NAME    ${Object.keys(settings).join(", ")}: options with which each way has a phase of its own
  --preset NAME     ${Object.keys(presets).join(", ")}, in the folder that SLUICE_DATA names; default: the embedded model
  --split A,B       where it may be cut; default: what \`sluice stream --strategy auto\` finds
  --only REGEX      only the fixed choices whose name matches; the live one has all of them
  --slowdown N      how many times slower the client is than this machine, default 4
  --device-ms MS    instead: what the whole network takes the client; how many times that is what it takes here is measured
  --fps N           frames a second, default 20
  --deadline MS     default 200
  --trace FILE      how the path changes, as \`sluice relay --trace\` takes it; default: 20, 2, 0.3, 50 Mbit/s, nothing, 50
  --seed N          of the relay and the order of the images, default 1
  --json            one JSON object on standard output instead of the report
  --record          write benchmarks/results/strategy/NAME.json and NAME.md
  --note TEXT       said beside a recorded result`;

const RESULTS = new URL("results/strategy/", import.meta.url);

const defaults = { slowdown: "4", fps: "20", deadline: "200", seed: "1" };

function parseOptions(args) {
  const { values: said } = parseArgs({
    args,
    options: {
      preset: { type: "string" },
      split: { type: "string" },
      setting: { type: "string" },
      only: { type: "string", default: "" },
      slowdown: { type: "string" },
      "device-ms": { type: "string" },
      fps: { type: "string" },
      deadline: { type: "string" },
      seed: { type: "string" },
      trace: { type: "string" },
      note: { type: "string", default: "" },
      json: { type: "boolean", default: false },
      record: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (said.setting !== undefined && !Object.hasOwn(settings, said.setting)) {
    throw new Error(
      `--setting: unknown ${JSON.stringify(said.setting)} (known: ${Object.keys(settings).join(", ")})`,
    );
  }
  if (said.slowdown !== undefined && said["device-ms"] !== undefined) {
    throw new Error("--device-ms says how slow the client is, and so does --slowdown");
  }
  const values = { ...defaults, ...settings[said.setting], ...said };
  // What is said goes before a setting's.
  if (said.slowdown !== undefined) delete values["device-ms"];
  const numbers = Object.fromEntries(
    ["slowdown", "fps", "deadline", "seed", "device-ms"].map((name) => {
      if (values[name] === undefined) return [name, undefined];
      const value = Number(values[name]);
      if (!(value >= 1)) throw new Error(`--${name} must be a number from 1, got ${values[name]}`);
      return [name, value];
    }),
  );
  if (values.preset !== undefined && !Object.hasOwn(presets, values.preset)) {
    throw new Error(
      `--preset: unknown ${JSON.stringify(values.preset)} (known: ${Object.keys(presets).join(", ")})`,
    );
  }
  return { ...values, ...numbers, only: new RegExp(values.only) };
}

function modelArguments({ preset }) {
  if (preset === undefined) return { model: "fashion", args: [] };
  const found = findPreset(preset, process.env.SLUICE_DATA);
  if (found.missing) throw new Error(`--preset ${preset}: ${found.missing}`);
  const preprocess = found.preprocess === undefined ? [] : ["--preprocess", found.preprocess];
  return { model: found.model, args: ["--source", found.images, ...preprocess] };
}

/** The options with a client of the speed that is asked for. */
async function withDevice(options) {
  const deviceMs = options["device-ms"];
  if (deviceMs === undefined) return options;
  return { ...options, slowdown: await findSlowdown(modelArguments(options).model, deviceMs, options.fps) };
}

async function measure(options, signal) {
  const { model, args } = modelArguments(options);
  const { fps, deadline, slowdown, seed, only } = options;
  const common = [
    ...["--model", model, ...args, "--fps", String(fps), "--deadline-ms", String(deadline)],
    ...["--slowdown", String(slowdown), "--threads", "1"],
  ];
  const scenario = await openScenario(options.trace);
  const circumstances = { scenario, seed, signal };
  const server = await startServer(model);
  try {
    const splits = options.split === undefined ? [] : ["--split", options.split];
    // It finds out what there is to choose among, and gets the server to load it.
    const auto = await runStream(server, [...common, ...splits, "--strategy", "auto"], circumstances);
    process.stderr.write(`auto: ${auto.onTime} of ${auto.offered} on time\n`);
    const fixed = [];
    for (const { name, strategy, split, codec } of auto.candidates.filter((each) => only.test(each.name))) {
      const cut = strategy === "shared" ? ["--split", split] : [];
      const coded = strategy === "client" ? [] : ["--codec", codec];
      const figures = await runStream(
        server,
        [...common, ...cut, ...coded, "--strategy", strategy],
        circumstances,
      );
      process.stderr.write(`${name}: ${figures.onTime} of ${figures.offered} on time\n`);
      fixed.push({ name, figures });
    }
    return { phases: scenario.phases, auto, fixed };
  } finally {
    await server.stop();
  }
}

async function main(asked, signal) {
  const environment = describeEnvironment();
  const before = readLoad();
  const options = await withDevice(asked);
  const runs = await measure(options, signal);
  const compared = comparePhases(runs);
  const load = { before, after: readLoad() };
  const report = formatReport({ environment, load, options, runs });
  if (options.json) console.log(JSON.stringify({ environment, load, compared, ...runs }));
  else console.log(report);
  if (options.record) {
    mkdirSync(RESULTS, { recursive: true });
    const name = options.setting ?? options.preset ?? "fashion";
    const result = {
      environment,
      load,
      options: { ...options, only: options.only.source, trace: options.trace && basename(options.trace) },
      compared,
      ...runs,
    };
    writeFileSync(new URL(`${name}.json`, RESULTS), `${JSON.stringify(result, null, 1)}\n`);
    writeFileSync(new URL(`${name}.md`, RESULTS), report);
  }
  if (compared.some(({ isReached }) => !isReached)) process.exitCode = 1;
}

const stop = new AbortController();
process.once("SIGINT", () => stop.abort(new Error("interrupted")));
try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else await main(options, stop.signal);
} catch (error) {
  console.error(stop.signal.aborted ? "interrupted" : `strategy benchmark: ${error.message}\n\n${USAGE}`);
  process.exitCode = stop.signal.aborted ? 130 : 2;
}
