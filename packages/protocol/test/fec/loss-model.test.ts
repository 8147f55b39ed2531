import { createRandom } from "@sluice/simnet";
import t from "tap";
import { createLossEstimator } from "#src/fec/loss-estimator.js";
import { createLossModel } from "#src/fec/loss-model.js";

const close = (
  t: { ok(value: unknown, name: string): unknown },
  actual: number,
  expected: number,
  name: string,
) => t.ok(Math.abs(actual - expected) < 1e-12, `${name}: ${actual}, not ${expected}`);

function binomial(n: number, j: number, p: number): number {
  let ways = 1;
  for (let i = 0; i < j; i++) ways = (ways * (n - i)) / (i + 1);
  return ways * p ** j * (1 - p) ** (n - j);
}

t.test("runs as long as chance makes them are independent losses", async (t) => {
  const model = createLossModel({ share: 0.2, meanRun: 1.25 });
  const shorter = createLossModel({ share: 0.2, meanRun: 1 });
  for (let j = 0; j <= 12; j++) {
    close(t, model.probability(12, j), binomial(12, j, 0.2), `${j} of 12`);
    close(t, shorter.probability(12, j), binomial(12, j, 0.2), `${j} of 12, runs too short to be`);
  }
});

t.test("bursts have the share and the runs that were asked for", async (t) => {
  const share = 0.05;
  for (const meanRun of [2, 4, 20]) {
    const model = createLossModel({ share, meanRun });
    for (const n of [1, 2, 64]) {
      let sum = 0;
      let mean = 0;
      for (let j = 0; j <= n; j++) {
        sum += model.probability(n, j);
        mean += j * model.probability(n, j);
      }
      close(t, sum, 1, "probabilities");
      close(t, mean / n, share, `mean share of ${n}`);
      close(t, model.excess(n, 0), share, "excess over none");
    }
    // Both of two: the first is lost, and its run goes on.
    close(t, model.probability(2, 2), share * (1 - 1 / meanRun), `two in a row, runs of ${meanRun}`);
    close(t, model.tail(2, 1), share * (1 - 1 / meanRun), "tail");
  }
});

t.test(
  "without loss nothing is lost, and a path that loses all but everything can be planned for",
  async (t) => {
    const none = createLossModel({ share: 0, meanRun: 1 });
    t.equal(none.probability(8, 0), 1);
    t.equal(none.tail(8, 0), 0);
    const worst = createLossModel({ share: 1, meanRun: Number.POSITIVE_INFINITY });
    t.ok(worst.tail(8, 0) > 0.89 && worst.tail(8, 0) <= 1);
  },
);

t.test("the estimate of a bursty path is near the truth and never 0 between two bursts", async (t) => {
  const seed = 31;
  t.comment(`seed ${seed}`);
  const random = createRandom(seed);
  const estimator = createLossEstimator();
  t.same(estimator.loss, { share: 0, meanRun: 1 });
  const totals = { nextSequence: 0, lost: 0, lossRuns: 0 };
  let bad = false;
  const shares: number[] = [];
  for (let i = 0; i < 20_000; i++) {
    const wasBad = bad;
    bad = bad ? random.next() >= 1 / 4 : random.next() < 0.05 / (4 * 0.95);
    totals.nextSequence++;
    if (bad) totals.lost++;
    if (bad && !wasBad) totals.lossRuns++;
    if (i % 10 === 9) estimator.handleReport(totals);
    if (i > 3_000) shares.push(estimator.loss.share);
  }
  t.ok(Math.min(...shares) > 0.02, `least ${Math.min(...shares)}`);
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  t.ok(mean > 0.04 && mean < 0.075, `mean ${mean}`);
  t.ok(estimator.loss.meanRun > 3 && estimator.loss.meanRun < 5, `runs ${estimator.loss.meanRun}`);
  const before = estimator.loss;
  estimator.handleReport({ nextSequence: 5, lost: 5, lossRuns: 1 });
  t.same(estimator.loss, before, "a late report changes nothing");
});
