// Measures the server beside the engine alone, its latency with several clients, and what bad clients cost good ones.
// `--help` lists the options.
import { writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { runCommand, UsageError } from "./accuracy/run-command.mjs";
import { describeEnvironment, readLoad } from "./micro/transport/environment.mjs";
import { measureIsolation } from "./server/isolation.mjs";
import { measureLatency, measureThroughput } from "./server/measures.mjs";
import { endAll } from "./server/processes.mjs";
import { formatReport } from "./server/report.mjs";
import { workloads } from "./server/workloads.mjs";

const measures = { throughput: measureThroughput, latency: measureLatency, isolation: measureIsolation };

const USAGE = `node benchmarks/server.mjs [options]
  --measures A,B    of ${Object.keys(measures).join(", ")}; default all
  --workloads A,B   of ${Object.keys(workloads).join(", ")}; default both
  --rounds N        1 to 100, default 5: rounds of the latency
  --throughput-rounds N  1 to 1000, default 24: rounds of the throughput, short ones, for the machine changes its pace
  --throughput-seconds S of each of its windows, 0.2 to 600, default 1
  --isolation-rounds N   1 to 100, default 12: rounds of the isolation, whose windows are pooled
  --seconds S       of each other window, 1 to 600, default 4
  --server-cpus L   cores of the server and of the engine alone, as taskset takes them (0,1); default all
  --client-cpus L   cores of all clients; where there are more than two, others than the server's
  --json            one JSON line for each window on standard output instead of the tables
  --record          write benchmarks/results/server.jsonl and server.md
  --note TEXT       said beside a recorded result

One process each for the server, the good clients, the bad one and the engine alone; the embedded model.`;

function readList(option, text, known) {
  const names = text.split(",");
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new UsageError(`--${option}: unknown ${JSON.stringify(unknown)} (known: ${known.join(", ")})`);
  return names;
}

function readNumber(option, text, least, most) {
  const value = Number(text);
  if (!(value >= least && value <= most))
    throw new UsageError(`--${option} must be ${least} to ${most}, got ${text}`);
  return value;
}

function parseOptions(args) {
  const text = (value) => ({ type: "string", default: value });
  const flag = { type: "boolean", default: false };
  const { values } = parseArgs({
    args,
    options: {
      ...{ measures: text(Object.keys(measures).join()), workloads: text(Object.keys(workloads).join()) },
      ...{
        rounds: text("5"),
        "throughput-rounds": text("24"),
        "throughput-seconds": text("1"),
        "isolation-rounds": text("12"),
        seconds: text("4"),
        note: text(""),
        json: flag,
        record: flag,
        help: flag,
      },
      ...{ "server-cpus": { type: "string" }, "client-cpus": { type: "string" } },
    },
  });
  return {
    ...values,
    measures: readList("measures", values.measures, Object.keys(measures)),
    workloads: readList("workloads", values.workloads, Object.keys(workloads)),
    ...{ serverCpus: values["server-cpus"], clientCpus: values["client-cpus"] },
    rounds: readNumber("rounds", values.rounds, 1, 100),
    throughputRounds: readNumber("throughput-rounds", values["throughput-rounds"], 1, 1_000),
    throughputSeconds: readNumber("throughput-seconds", values["throughput-seconds"], 0.2, 600),
    isolationRounds: readNumber("isolation-rounds", values["isolation-rounds"], 1, 100),
    seconds: readNumber("seconds", values.seconds, 1, 600),
  };
}

await runCommand({ name: "server benchmark", usage: USAGE, parseOptions }, async (options, signal) => {
  signal.addEventListener("abort", endAll);
  const environment = describeEnvironment();
  const loadBefore = readLoad();
  const windows = [];
  const onWindow = (window) => {
    windows.push(window);
    if (options.json) console.log(JSON.stringify(window));
    const { latenciesMs: _, touched: __, ...shown } = window;
    process.stderr.write(`${JSON.stringify(shown)}\n`);
  };
  try {
    for (const workload of options.workloads) {
      for (const measure of options.measures) await measures[measure](workload, options, onWindow, signal);
    }
  } finally {
    endAll();
  }
  signal.throwIfAborted();
  const { rounds, isolationRounds, seconds, note, serverCpus, clientCpus } = options;
  const { throughputRounds, throughputSeconds } = options;
  const run = {
    ...{ rounds, seconds, throughputRounds, throughputSeconds, isolationRounds },
    ...{ note, serverCpus, clientCpus },
    loadBefore,
    loadAfter: readLoad(),
  };
  const report = formatReport({ environment, run, windows });
  if (!options.json) console.log(report);
  if (!options.record) return;
  const results = new URL("results/", import.meta.url);
  const lines = [{ environment, run }, ...windows].map((value) => `${JSON.stringify(value)}\n`);
  writeFileSync(new URL("server.jsonl", results), lines.join(""));
  writeFileSync(new URL("server.md", results), report);
});
