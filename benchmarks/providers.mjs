// What computes a network quickest: providers of onnxruntime beside each other, batch by batch. `--help` lists the options.
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { createSeededRandom, loadModel } from "../packages/inference/dist/index.js";
import { noiseFor } from "../packages/inference/dist/profile/noise.js";
import { runCommand, UsageError } from "./accuracy/run-command.mjs";
import { parseCount } from "./micro/parse-count.mjs";
import { describeEnvironment, readLoad } from "./micro/transport/environment.mjs";
import { measureProviders } from "./providers/measure.mjs";
import { formatReport } from "./providers/report.mjs";

const USAGE = `node benchmarks/providers.mjs [MODEL...] [options]
  MODEL             embedded ones by name, others by path; default: fashion
  --providers A,B   of onnxruntime, the first is what the others are compared with; default cpu,webgpu
  --batches A,B     frames computed at once, default 1,2,4,8,16,32; 1 where a model takes no more
  --seconds S       for each batch size, 1 to 600, default 3
  --threads N       of the processor's providers, default half of its cores
  --note TEXT       said beside a recorded result: which accelerator
  --json            one JSON line for each batch size on standard output instead of the tables
  --record          write benchmarks/results/providers.jsonl and providers.md`;

function parseOptions(args) {
  const text = (value) => ({ type: "string", default: value });
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...{
        providers: text("cpu,webgpu"),
        batches: text("1,2,4,8,16,32"),
        seconds: text("3"),
        note: text(""),
      },
      threads: text(String(Math.ceil(availableParallelism() / 2))),
      ...{ json: { type: "boolean" }, record: { type: "boolean" }, help: { type: "boolean" } },
    },
  });
  return {
    ...values,
    models: positionals.length > 0 ? positionals : ["fashion"],
    providers: values.providers.split(","),
    batches: values.batches.split(",").map((size) => parseCount("batches", size, 1_024)),
    seconds: parseCount("seconds", values.seconds, 600),
    threads: parseCount("threads", values.threads, 64),
  };
}

await runCommand({ name: "providers benchmark", usage: USAGE, parseOptions }, async (options, signal) => {
  const environment = describeEnvironment();
  const loadBefore = readLoad();
  const lines = [];
  for (const reference of options.models) {
    const model = await loadModel(reference).catch((error) => {
      throw new UsageError(`${reference}: ${error.message}`);
    });
    const sizes = model.input.batch === "dynamic" ? options.batches : [1];
    const random = createSeededRandom(1);
    const frames = Array.from({ length: Math.max(...sizes) }, () => noiseFor(model.input, random));
    for await (const line of measureProviders(model, { ...options, sizes, frames, signal })) {
      lines.push(line);
      if (options.json) console.log(JSON.stringify(line));
      process.stderr.write(`${model.name}: ${line.obstacle ?? `${line.frames} at once, ${line.provider}`}\n`);
    }
  }
  const { providers, seconds, threads, note } = options;
  const run = { providers, seconds, threads, note, loadBefore, loadAfter: readLoad() };
  const report = formatReport({ environment, run, lines });
  if (!options.json) console.log(report);
  if (!options.record) return;
  const results = new URL("results/", import.meta.url);
  const all = [{ environment, run }, ...lines].map((value) => `${JSON.stringify(value)}\n`);
  writeFileSync(new URL("providers.jsonl", results), all.join(""));
  writeFileSync(new URL("providers.md", results), report);
});
