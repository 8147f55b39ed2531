import { percent } from "../tables.mjs";
/** The most by which the middle prediction may be off. */
export const boundShare = 0.15;

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** How far predictions are off, as shares of what was measured: the middle for each bandwidth, and for all. */
export function summarize(results) {
  const off = ({ predictedMs, totalMs }) => Math.abs(predictedMs - totalMs) / totalMs;
  const bandwidths = [...new Set(results.map(({ megabits }) => megabits))];
  const byMegabits = bandwidths.map((megabits) => ({
    megabits,
    medianError: median(results.filter((result) => result.megabits === megabits).map(off)),
  }));
  const medianError = median(results.map(off));
  return {
    medianError,
    byMegabits,
    isWithinBound: byMegabits.every((each) => each.medianError <= boundShare),
  };
}

/** The comparison as a Markdown table. */
export function formatComparison(results, summary, environment, { name, rttMs, frames }) {
  const rows = results.map(({ megabits, way, pathRttMs, predictedMs, totalMs }) => {
    const where = way.strategy === "server" ? "server only" : way.split;
    const error = percent(Math.abs(predictedMs - totalMs) / totalMs);
    return `| ${megabits} | ${pathRttMs.toFixed(1)} | ${where} | \`${way.codec.replaceAll("|", "\\|")}\` | ${way.bytes} | ${predictedMs.toFixed(1)} | ${totalMs.toFixed(1)} | ${error} |`;
  });
  const verdict = summary.isWithinBound ? "within" : "NOT within";
  return [
    `# Total inference time, predicted and measured: ${name}`,
    "",
    `${environment.date}, ${environment.cpu}, ${environment.cores} cores, commit ${environment.commit}; load ${environment.loadBefore.join(" ")} before and ${environment.loadAfter.join(" ")} after. The relay delays by ${rttMs} ms in all; the RTT of the prediction is what a session of its own measures. The middle of ${frames} frames.`,
    "",
    "| Mbit/s | RTT ms | where | codec | bytes | predicted ms | measured ms | off by |",
    "|---|---|---|---|---|---|---|---|",
    ...rows,
    "",
    `In the middle ${percent(summary.medianError)} off; ${summary.byMegabits.map(({ megabits, medianError }) => `${percent(medianError)} at ${megabits} Mbit/s`).join(", ")}: ${verdict} the bound of ${percent(boundShare)}.`,
    "",
  ].join("\n");
}
