// Measures the WebAssembly kernels beside their plain twins. `--help` lists the options; it never decides a test.
import { writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { kinds, measures } from "./kernels/measures.mjs";
import { formatReport } from "./kernels/report.mjs";
import { parseCount } from "./parse-count.mjs";
import { describeEnvironment, readLoad } from "./transport/environment.mjs";
import { spread } from "./transport/summary.mjs";

const USAGE = `node benchmarks/micro/kernels.mjs [options]
  --rounds N        1 to 100, default 7; the order of the two kinds turns round with each
  --ms N            length of each measurement, 1 to 10000, default 60
  --only REGEX      only the measures whose title matches
  --record          write benchmarks/results/kernels.jsonl and kernels.md
  --note TEXT       said beside a recorded result`;

const RESULTS = new URL("../results/", import.meta.url);

function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string", default: "7" },
      ms: { type: "string", default: "60" },
      only: { type: "string", default: "" },
      note: { type: "string", default: "" },
      record: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  return {
    ...values,
    rounds: parseCount("rounds", values.rounds, 100),
    milliseconds: parseCount("ms", values.ms, 10_000),
    only: new RegExp(values.only),
  };
}

/** Milliseconds of a processor that one call takes: what other processes take of the time meanwhile does not count. */
function time(work, milliseconds) {
  let calls = 0;
  const before = process.cpuUsage();
  const end = performance.now() + milliseconds;
  do {
    work();
    calls++;
  } while (performance.now() < end);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / calls;
}

function measureAll(chosen, { rounds, milliseconds }) {
  const results = [];
  // Round 0 is for V8 to compile.
  for (let round = 0; round <= rounds; round++) {
    for (const measure of chosen) {
      const order = round % 2 === 1 ? ["simd", "plain"] : ["plain", "simd"];
      for (const kind of order) {
        const figure = measure.figure(time(measure.run(kind), milliseconds));
        if (round > 0) results.push({ round, measure: measure.title, kind, figure, load: readLoad()[0] });
      }
    }
  }
  return results;
}

function summarize(chosen, results) {
  return chosen.map((measure) => {
    const of = (kind) =>
      spread(
        results
          .filter((result) => result.measure === measure.title && result.kind === kind)
          .map(({ figure }) => figure),
      );
    const [simd, plain] = [of("simd"), of("plain")];
    const times = measure.unit === "ms" ? plain.median / simd.median : simd.median / plain.median;
    return { measure, simd, plain, times };
  });
}

function main(options) {
  for (const [name, kind] of Object.entries(kinds)) {
    if (kind !== "simd") throw new Error(`${name}: this machine has no WebAssembly with SIMD`);
  }
  const chosen = measures.filter(({ title }) => options.only.test(title));
  const { rounds, milliseconds, note } = options;
  const environment = describeEnvironment();
  const loadBefore = readLoad();
  const results = measureAll(chosen, options);
  const run = { rounds, milliseconds, note, loadBefore, loadAfter: readLoad() };
  const report = formatReport({ environment, run, rows: summarize(chosen, results) });
  console.log(report);
  if (!options.record) return;
  const lines = [{ environment, run }, ...results].map((value) => `${JSON.stringify(value)}\n`);
  writeFileSync(new URL("kernels.jsonl", RESULTS), lines.join(""));
  writeFileSync(new URL("kernels.md", RESULTS), report);
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else main(options);
} catch (error) {
  process.stderr.write(`${error.message}\n${USAGE}\n`);
  process.exitCode = 2;
}
