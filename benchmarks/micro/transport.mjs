// Measures each engine beside raw UDP and raw TCP. `--help` lists the options; it never decides a test.
import { writeFileSync } from "node:fs";
import process from "node:process";
import { createCertificate } from "../../packages/http3/dist/index.js";
import { describeEnvironment, readLoad } from "./transport/environment.mjs";
import { measures, rows } from "./transport/measures.mjs";
import { parseOptions, USAGE, UsageError } from "./transport/options.mjs";
import { findPeers } from "./transport/peers.mjs";
import { formatReport } from "./transport/report.mjs";
import { runPair } from "./transport/run-pair.mjs";
import { summarize } from "./transport/summary.mjs";

/** Connections grow their windows, and V8 compiles, before anything is counted. */
const WARM_UP_MS = 400;
const RESULTS = new URL("../results/", import.meta.url);

async function measureAll(peers, options) {
  const { cert, key, hash } = await createCertificate({ hosts: ["127.0.0.1"] });
  const chosen = measures.filter(({ id }) => options.only.test(id));
  const results = [];
  for (let round = 1; round <= options.rounds; round++) {
    const order = round % 2 === 1 ? peers : peers.toReversed();
    for (const measure of chosen) {
      for (const peer of order.filter(({ provides }) => provides.includes(measure.needs))) {
        const parameters = {
          ...measure.parameters,
          ...peer.parameters,
          seconds: options.seconds,
          warmUpMs: WARM_UP_MS,
          certificate: { cert, key, hash },
        };
        const raw = await runPair(peer, measure.half, parameters);
        const isMeasured = raw.error === undefined && raw.unsupported === undefined;
        const figures = isMeasured ? measure.figures(raw, peer, parameters) : undefined;
        const result = { round, measure: measure.id, peer: peer.name, load: readLoad()[0], figures, ...raw };
        results.push(result);
        if (options.json) console.log(JSON.stringify(result));
        process.stderr.write(`round ${round} ${measure.id} ${peer.name} ${JSON.stringify(figures ?? raw)}\n`);
      }
    }
  }
  return results;
}

async function main(options) {
  const environment = describeEnvironment();
  const loadBefore = readLoad();
  const { peers, leftOut } = await findPeers(options.engines);
  for (const { peer, reason } of leftOut) process.stderr.write(`${peer} is left out: ${reason}\n`);
  const results = await measureAll(peers, options);
  const { rounds, seconds, note } = options;
  const run = { rounds, seconds, warmUpMs: WARM_UP_MS, note, loadBefore, loadAfter: readLoad() };
  const summary = summarize(results, rows, peers);
  const report = formatReport({ environment, run, peers, leftOut, results, summary });
  if (!options.json) console.log(report);
  if (!options.record) return;
  const lines = [{ environment, run, leftOut }, ...results].map((value) => `${JSON.stringify(value)}\n`);
  writeFileSync(new URL("transport.jsonl", RESULTS), lines.join(""));
  writeFileSync(new URL("transport.md", RESULTS), report);
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else await main(options);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n${USAGE}\n`);
  process.exitCode = 2;
}
