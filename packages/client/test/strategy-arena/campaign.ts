/**
 * Many scenarios, and the worst phases of them: `node campaign.js --from 0 --count 100`, with `--traces` on paths that change
 * within a phase, with `--judge` on what somebody would try who has not seen any of this. What fixed choices do does not depend on the choice among them, so `--keep DIR` keeps it.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { WorldOptions } from "../adaptive-world.js";
import { type ComparedPhase, compareLive, type FixedRuns, runEachFixed } from "./compare.js";
import { drawScenario } from "./scenarios.js";

const { values } = parseArgs({
  options: {
    from: { type: "string", default: "0" },
    count: { type: "string", default: "100" },
    traces: { type: "boolean", default: false },
    judge: { type: "boolean", default: false },
    keep: { type: "string" },
    worst: { type: "string", default: "10" },
    show: { type: "boolean", default: false },
  },
});

const course = values.judge ? "judge" : values.traces ? "traces" : "phases";
const from = Number(values.from);
const all: (ComparedPhase & { readonly seed: number })[] = [];
let lost = 0;
for (let seed = from; seed < from + Number(values.count); seed++) {
  const options = drawScenario(seed, course);
  const fixed = await recall(options);
  const { phases, run } = await compareLive(options, fixed);
  if (run.sessionEnd !== undefined) {
    lost++;
    console.log(`seed ${seed}: the session ended at ${run.sessionEnd}`);
  }
  for (const phase of phases) all.push({ seed, ...phase });
  if (values.show) show(options, fixed, phases, run);
}
summarize();

async function recall(options: WorldOptions): Promise<FixedRuns> {
  if (values.keep === undefined) return runEachFixed(options);
  mkdirSync(values.keep, { recursive: true });
  const hash = createHash("sha256").update(JSON.stringify(options)).digest("hex").slice(0, 16);
  const path = `${values.keep}/${hash}.json`;
  if (existsSync(path)) return new Map(JSON.parse(readFileSync(path, "utf8")));
  const fixed = await runEachFixed(options);
  writeFileSync(path, JSON.stringify([...fixed]));
  return fixed;
}

function show(
  options: WorldOptions,
  fixed: FixedRuns,
  phases: readonly ComparedPhase[],
  run: Awaited<ReturnType<typeof compareLive>>["run"],
): void {
  const { framesPerSecond, deadlineMs, ways, slowMoments, slowdown, spread } = options;
  console.log(
    `seed ${options.seed}: ${framesPerSecond}/s within ${deadlineMs} ms, spread ${spread?.toFixed(2)}${slowMoments ? ", slow moments" : ""}${slowdown && slowdown > 1 ? `, played ${slowdown.toFixed(1)} times slower` : ""}`,
  );
  for (const { name, clientMs, serverMs, bytes, worth, told } of ways)
    console.log(
      `  ${name}: ${clientMs.toFixed(1)} ms, ${bytes} B, ${serverMs.toFixed(1)} ms, worth ${(worth ?? 1).toFixed(2)} (told ${told?.clientMs.toFixed(1)}, ${told?.serverMs.toFixed(1)})`,
    );
  let atS = 0.5;
  phases.forEach(({ phase, seconds, auto, best, by, share }, i) => {
    console.log(
      `  ${atS.toFixed(1)} s +${seconds}: ${phase}: auto ${auto.toFixed(1)} of ${best.toFixed(1)} by ${by}: ${(100 * share).toFixed(0)} %  [${[...fixed].map(([name, each]) => `${name} ${each[i]!.worth.toFixed(0)}`).join(", ")}]`,
    );
    atS += seconds;
  });
  for (const { atMs, from: left, to, reason, predictions } of run.switches)
    console.log(
      `    ${(atMs / 1_000).toFixed(2)} ${left} -> ${to}: ${reason}  {${predictions.map((p) => `${p.candidate} ${p.totalMs.toFixed(0)}ms ${p.score.toFixed(1)}`).join("; ")}}`,
    );
}

function summarize(): void {
  // Of phases in which next to nothing can be in time, a share says nothing.
  const told = all.filter(({ best }) => best >= 10);
  const shares = told.map(({ share }) => share).sort((a, b) => a - b);
  const at = (q: number) => `${(100 * shares[Math.floor(q * (shares.length - 1))]!).toFixed(0)} %`;
  const reached = told.filter(({ share }) => share >= 0.8).length;
  const sum = (figure: "auto" | "best") => all.reduce((total, each) => total + each[figure], 0);
  console.log(
    `${all.length} phases, ${told.length} with 10 in time; within 20 %: ${reached} (${((100 * reached) / told.length).toFixed(1)} %); ` +
      `share p1 ${at(0.01)}, p5 ${at(0.05)}, p10 ${at(0.1)}, p25 ${at(0.25)}, p50 ${at(0.5)}; all results ${((100 * sum("auto")) / sum("best")).toFixed(1)} % of the best; sessions lost ${lost}`,
  );
  for (const { seed, phase, seconds, auto, best, by, share } of told
    .sort((a, b) => a.share - b.share)
    .slice(0, Number(values.worst)))
    console.log(
      `  seed ${seed}: ${seconds} s ${phase}: ${auto.toFixed(1)} of ${best.toFixed(1)} by ${by}: ${(100 * share).toFixed(0)} %`,
    );
}
