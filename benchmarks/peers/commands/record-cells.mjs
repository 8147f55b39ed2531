import { createProgress } from "../progress.mjs";
import { runLanes } from "./run-lanes.mjs";
import { openTunPaths } from "./tun-paths.mjs";

/**
 * Measures cells, `lanes` at a time over links of their own, and records each as it is measured. A cell whose system fails is
 * part of the result.
 * @param describe what the progress says of a line that was measured
 */
export async function recordCells(cells, { record, lanes, json }, measure, describe) {
  const paths = await openTunPaths(Math.min(lanes, cells.length));
  try {
    const progress = createProgress(cells.length);
    await runLanes(cells, paths.all, async (cell, path) => {
      const measured = await measure(cell, path).catch((error) => ({ ...cell, error: error.message }));
      const line = record.add(measured);
      progress(`${cell.key}: ${line.error ?? describe(line)}`);
      if (json) console.log(JSON.stringify(line));
    });
  } finally {
    await paths.close();
  }
}
