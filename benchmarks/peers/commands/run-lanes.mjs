/**
 * Does `work(cell, lane)` for every cell, in order, one at a time in each lane.
 * @param lanes what a cell has to itself while it is measured, as a path
 */
export async function runLanes(cells, lanes, work) {
  const queue = cells[Symbol.iterator]();
  await Promise.all(
    lanes.map(async (lane) => {
      for (const cell of queue) await work(cell, lane);
    }),
  );
}
