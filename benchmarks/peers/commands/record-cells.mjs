import { createProgress } from "../progress.mjs";
import { runLanes } from "./run-lanes.mjs";
import { openTunPaths } from "./tun-paths.mjs";

/**
 * Measures cells and records each as it is measured. A cell whose system fails is part of the result.
 * @param lanes what a cell has to itself while it is measured, as a path; default: one at a time, with nothing
 * @param measure resolves to what is recorded of a cell beside the cell itself
 * @param describe what the progress says of a line that was measured
 */
export async function recordCells(cells, { record, json, lanes = [undefined] }, measure, describe) {
  const progress = createProgress(cells.length);
  await runLanes(cells, lanes, async (cell, lane) => {
    const measured = await measure(cell, lane).catch((error) => ({ error: error.message }));
    const line = record.add({ ...cell, ...measured });
    progress(`${cell.key}: ${line.error ?? describe(line)}`);
    if (json) console.log(JSON.stringify(line));
  });
}

/** The same, `lanes` at a time over links of their own. */
export async function recordCellsOverLinks(cells, { record, json, lanes }, measure, describe) {
  const paths = await openTunPaths(Math.min(lanes, cells.length));
  try {
    await recordCells(cells, { record, json, lanes: paths.all }, measure, describe);
  } finally {
    await paths.close();
  }
}
