// A seeded campaign of faults through the real stack: `npm run soak -- --help`.
import process from "node:process";
import { setUpOrExit } from "../scripts/setup.mjs";

await setUpOrExit();
const { exitOnSignals } = await import("./soak/at-exit.mjs");
const { describeStep, runCampaign } = await import("./soak/campaign.mjs");
const { readOptions, usage } = await import("./soak/options.mjs");
const { formatReport } = await import("./soak/report.mjs");

function tell(step, { round, doneShare }, { minutes }) {
  const left = Math.max(0, Math.round(60 * minutes * (1 - doneShare)));
  const recovered = step.recoveryMs === null ? "NOT recovered" : `recovered in ${step.recoveryMs} ms`;
  console.error(
    `${step.atSeconds} s, round ${round + 1}: ${describeStep(step)}; ${recovered}; ${left} s left`,
  );
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) console.log(usage);
  else {
    const stop = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM"])
      process.once(signal, () => {
        console.error("soak: ends behind this fault; once more to end at once");
        stop.abort();
        exitOnSignals();
      });
    const result = await runCampaign(options, (step, at) => tell(step, at, options), stop.signal);
    console.log(options.json ? JSON.stringify(result) : formatReport(result));
    if (result.failures.length > 0) process.exitCode = 1;
  }
} catch (error) {
  console.error(`soak: ${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
