// The whole robustness campaign: node packages/http3/dist/test/robustness/campaign.js [--seed N] [--full] [--part NAME]
// [--out FILE]. Prints one line of JSON for each part, and appends it to FILE; exit code 1 where something failed.
import { spawnSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { createRandom } from "@sluice/simnet";
import { FULL, PARTS, SHORT } from "./parts.js";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    full: { type: "boolean", default: false },
    part: { type: "string" },
    out: { type: "string" },
  },
});

const commit = spawnSync("git", ["describe", "--always", "--dirty"], { encoding: "utf8" }).stdout.trim();
const machine = `${cpus().length} x ${cpus()[0]?.model ?? "unknown"}, Node ${process.version}`;

for (const part of PARTS) {
  if (values.part !== undefined && part.name !== values.part) continue;
  const startMs = performance.now();
  const { figures, failures } = await part.run(createRandom(values.seed), values.full ? FULL : SHORT);
  const seconds = Math.round((performance.now() - startMs) / 100) / 10;
  const line = JSON.stringify({
    part: part.name,
    seed: values.seed,
    seconds,
    ...figures,
    failures,
    commit,
    machine,
  });
  console.log(line);
  if (values.out !== undefined) appendFileSync(values.out, `${line}\n`);
  if (failures.length > 0) process.exitCode = 1;
}
