// Bytes on the wire against accuracy, for chains of codec stages at a cut. `--help` lists the options.
import process from "node:process";
import { checkCodec } from "./accuracy/codec-under-test.mjs";
import { describeRun, describeWorkload } from "./accuracy/describe-run.mjs";
import { recordResults } from "./accuracy/record-results.mjs";
import { runCommand } from "./accuracy/run-command.mjs";
import { describeEnvironment, readLoad } from "./micro/transport/environment.mjs";
import { experiments } from "./rate-accuracy/experiments.mjs";
import { parseOptions, USAGE } from "./rate-accuracy/options.mjs";
import { openWorkload } from "./rate-accuracy/workload.mjs";

function nameOf({ name, experiment }, { model, split }) {
  const suffix = experiment === "rate" ? "" : `-${experiment}`;
  return name ?? `${model}-${split.replaceAll(/[^\w.-]/g, "_")}${suffix}`;
}

async function main(options, signal) {
  for (const { text } of options.codecs ?? []) await checkCodec(text);
  const environment = describeEnvironment();
  const before = readLoad();
  const experiment = experiments[options.experiment];
  process.stderr.write("rate-accuracy: the first half of the network runs over all images ...\n");
  const workload = await openWorkload(options, signal, experiment);
  try {
    const { description } = workload;
    const { datagram, note } = options;
    const head = {
      environment,
      loadBefore: before,
      experiment: options.experiment,
      datagram,
      note,
      ...description,
    };
    process.stderr.write(`${describeWorkload(description).join("\n")}\n`);
    if (options.json) console.log(JSON.stringify(head));
    let done = 0;
    const onPoint = (point, total) => {
      done++;
      process.stderr.write(`${done} of ${total}: ${point.text}: ${experiment.brief(point.figures)}\n`);
      if (options.json) console.log(JSON.stringify(point));
    };
    const points = await experiment.run(workload, options, { signal, onPoint });
    const run = describeRun({
      environment,
      load: { before, after: readLoad() },
      workload: description,
      note,
    });
    const report = `# ${experiment.title}: ${description.model}, ${description.split}

Written by \`node benchmarks/rate-accuracy.mjs --record\`; how it measures is in \`benchmarks/README.md\`.

${run}

${experiment.format(points, description)}`;
    if (!options.json) console.log(report);
    if (!options.record) return;
    const results = { lines: [head, ...points], report, plots: experiment.plots(points, description) };
    const written = await recordResults("rate-accuracy", nameOf(options, description), results);
    process.stderr.write(`${written.map((file) => `benchmarks/results/${file}`).join("\n")}\n`);
  } finally {
    await workload.close();
  }
}

await runCommand({ name: "rate-accuracy", usage: USAGE, parseOptions }, main);
