import t from "tap";
import { predictTotal } from "../profile/measure-total.mjs";
import { formatComparison, summarize } from "../profile/report.mjs";

const way = {
  strategy: "shared",
  split: "add_3",
  codec: "a | b",
  clientMs: 5,
  encodeMs: 1,
  bytes: 10_000,
  decodeMs: 2,
  serverMs: 4,
};

t.test("the formula: what is sent over the bandwidth, and a round trip, unless nothing is sent", (t) => {
  t.equal(predictTotal(way, { megabits: 1, rttMs: 20 }), 5 + 1 + 80 + 20 + 2 + 4);
  t.equal(predictTotal({ ...way, bytes: 0 }, { megabits: 1, rttMs: 20 }), 12);
  t.end();
});

t.test("errors are shares of what was measured, in the middle for each bandwidth", (t) => {
  const result = (megabits, predictedMs, totalMs) => ({ megabits, way, pathRttMs: 21, predictedMs, totalMs });
  const results = [result(1, 90, 100), result(1, 130, 100), result(1, 100, 100), result(5, 50, 100)];
  const summary = summarize(results);
  t.same(
    summary.byMegabits.map(({ medianError }) => Math.round(100 * medianError)),
    [10, 50],
  );
  t.equal(summary.isWithinBound, false);
  t.equal(summarize(results.slice(0, 3)).isWithinBound, true);
  const environment = { date: "d", cpu: "c", cores: 2, commit: "x", loadBefore: [0], loadAfter: [0] };
  t.match(
    formatComparison(results, summary, environment, { name: "m", rttMs: 20, frames: 40 }),
    /measured: m\n[\s\S]*NOT within/,
  );
  t.end();
});
