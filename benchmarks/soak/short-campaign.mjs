// A campaign as a test.
import process from "node:process";
import t from "tap";
import { exitOnSignals } from "./at-exit.mjs";
import { describeStep, runCampaign } from "./campaign.mjs";
import { readOptions } from "./options.mjs";
import { formatReport } from "./report.mjs";

const minutes = 0.9;
/** On a machine that does much else, a late result says nothing about the program. */
const deadlineMs = 5_000;

/** @param only kinds of faults, as `--only` takes them @param beside further clients, as `--beside` does */
export async function runShortCampaign(only, beside) {
  // A runner's time limit is a signal.
  exitOnSignals();
  const seed = process.env.SLUICE_SEED ?? "20261127";
  const args = [
    "--minutes",
    String(minutes),
    "--seed",
    seed,
    "--deadline-ms",
    String(deadlineMs),
    "--only",
    only,
    "--beside",
    beside,
  ];
  t.comment(`seed ${seed} (SLUICE_SEED); npm run soak runs for longer`);
  await t.test("no crash, nothing left, every frame accounted for", async (t) => {
    const result = await runCampaign(readOptions(args), (step) => t.comment(describeStep(step)));
    t.comment(formatReport(result));
    t.ok(result.timeline.length > 0, "there were faults");
    t.strictSame(result.failures, []);
    for (const { name, frames } of result.companions) t.ok(frames.delivered > 0, `${name} had results`);
    for (const [name, reason] of Object.entries(result.missing)) t.skip(`${name}: ${reason}`);
  });
}
