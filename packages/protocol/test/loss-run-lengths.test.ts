/** Runs of losses, as the sender learns their lengths from the maps of reports. */
import { sluice } from "@sluice/proto";
import { createRandom } from "@sluice/simnet";
import t from "tap";
import { createLossRunLengths, longestCountedRun } from "#src/loss-run-lengths.js";
import { createReceiverReport } from "#src/receiver-report.js";

/** Every `reportEvery`-th arrival is followed by a report, as it goes over the wire. */
function countRuns(arrivals: readonly number[], reportEvery: number): readonly number[] {
  const receiver = createReceiverReport();
  const lengths = createLossRunLengths();
  for (const [i, sequence] of arrivals.entries()) {
    receiver.arrived(sequence, 1_000, i);
    if (i % reportEvery === 0) lengths.handleReport(new sluice.v1.Feedback(receiver.take(0, 1e6, i)));
  }
  return lengths.counts;
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

t.test("runs are counted by their length, reordered datagrams are none", async (t) => {
  const lost = new Set([3, 10, 11, 20, 21, 22, 40]);
  const arrivals = upTo(60).filter((sequence) => !lost.has(sequence));
  const wanted = [2, 1, 1];
  for (const reportEvery of [1, 7]) t.strictSame(countRuns(arrivals, reportEvery), wanted);
  const swapped = arrivals.map((_, i) => arrivals[i ^ 1] ?? arrivals[i]!);
  t.strictSame(countRuns(swapped, 1), wanted, "each two of them swapped");
});

t.test(
  "a run is counted when it is over, a long one at the end, and what no report told as none",
  async (t) => {
    t.strictSame(countRuns([...upTo(10), 12, 13], 1), [], "it may still come");
    const long = countRuns([...upTo(10), ...upTo(20).map((i) => 300 + i)], 1);
    t.equal(long.length, longestCountedRun);
    t.equal(long[longestCountedRun - 1], 1);
    t.strictSame(
      countRuns(
        upTo(30_000).filter((i) => i % 1_000 !== 500),
        10_000,
      ),
      [],
      "gaps between reports",
    );
  },
);

t.test("on a path that loses at random, they add up to what the receiver has counted", async (t) => {
  for (const seed of [1, 2, 3]) {
    const random = createRandom(seed);
    const arrivals = upTo(5_000).filter((sequence) => sequence > 4_900 || random.next() > 0.1);
    const counts = countRuns(arrivals, 20);
    const missing = 5_000 - arrivals.length;
    t.equal(
      counts.reduce((sum, count, i) => sum + count * (i + 1), 0),
      missing,
      `seed ${seed}`,
    );
  }
});
