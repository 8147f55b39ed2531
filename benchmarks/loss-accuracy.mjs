// Accuracy against loss, for ways to conceal what did not arrive. `--help` lists the options.
import process from "node:process";
import { checkCodec } from "./accuracy/codec-under-test.mjs";
import { describeRun, describeWorkload } from "./accuracy/describe-run.mjs";
import { recordResults } from "./accuracy/record-results.mjs";
import { runCommand } from "./accuracy/run-command.mjs";
import { nameCondition } from "./loss-accuracy/conditions.mjs";
import { runLoss, usableConditions } from "./loss-accuracy/loss-experiment.mjs";
import { plotLoss } from "./loss-accuracy/loss-plot.mjs";
import { formatLoss } from "./loss-accuracy/loss-report.mjs";
import { parseOptions, USAGE } from "./loss-accuracy/options.mjs";
import { describeEnvironment, readLoad } from "./micro/transport/environment.mjs";
import { openWorkload } from "./rate-accuracy/workload.mjs";
import { fixed } from "./tables.mjs";

const nameOf = ({ name, codecs }, { model, split }) =>
  name ?? `${model}-${split}-${codecs[0].text}`.replaceAll(/[^\w.-]+/g, "_").slice(0, 80);

async function main(options, signal) {
  for (const { text } of options.codecs) await checkCodec(text);
  const environment = describeEnvironment();
  const before = readLoad();
  process.stderr.write("loss-accuracy: the first half of the network runs over all images ...\n");
  const workload = await openWorkload(options, signal, { keepsTensors: true });
  try {
    const { description } = workload;
    const conditions = await usableConditions(workload, options.conditions, (condition, why) => {
      process.stderr.write(`${nameCondition(condition)}: skipped, ${why}\n`);
    });
    const { datagram, fps, deadlineMs, seed, note } = options;
    const how = { conditions, datagram, fps, deadlineMs, seed, note };
    const head = { environment, loadBefore: before, ...how, ...description };
    process.stderr.write(`${describeWorkload(description).join("\n")}\nSeed of the losses: ${seed}\n`);
    if (options.json) console.log(JSON.stringify(head));
    let done = 0;
    const onPoint = (point, total) => {
      done++;
      const drop = `${fixed(point.dropPoints, 2)} ± ${fixed(point.dropStandardError, 2)}`;
      const rate = `${fixed(100 * point.rate, 1)} %`;
      const what = [point.form, point.process, rate, nameCondition(point), point.method].join(", ");
      process.stderr.write(`${done} of ${total}: ${what}: drop ${drop}\n`);
      if (options.json) console.log(JSON.stringify(point));
    };
    const points = await runLoss(workload, { ...options, conditions }, { signal, onPoint });
    const load = { before, after: readLoad() };
    const run = describeRun({ environment, load, workload: description, note });
    const report = `# Loss against accuracy: ${description.model}, ${description.split}

Written by \`node benchmarks/loss-accuracy.mjs --record\`; how it measures is in \`benchmarks/README.md\`.

${run}
- Datagrams of at most ${datagram} bytes, ${fps} frames a second, answers within ${deadlineMs} ms; seed of the losses ${seed}

${formatLoss(points)}`;
    if (!options.json) console.log(report);
    if (!options.record) return;
    const plots = plotLoss(points, description);
    const results = { lines: [head, ...points], report, plots };
    const written = await recordResults("loss-accuracy", nameOf(options, description), results);
    process.stderr.write(`${written.map((file) => `benchmarks/results/${file}`).join("\n")}\n`);
  } finally {
    await workload.close();
  }
}

await runCommand({ name: "loss-accuracy", usage: USAGE, parseOptions }, main);
