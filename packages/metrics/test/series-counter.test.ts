import { Counter, Registry } from "prom-client";
import t from "tap";
import { createSeriesCounter } from "#src/series-counter.js";

t.test("it reads as one of prom-client's that was told the same", async (t) => {
  const [own, theirs] = [new Registry(), new Registry()];
  const labels = ["outcome", "reason"];
  const ours = createSeriesCounter(own, { name: "x_total", help: "Help.", labels });
  const other = new Counter({ name: "x_total", help: "Help.", labelNames: labels, registers: [theirs] });
  t.equal(await own.metrics(), await theirs.metrics(), "no series before the first is named");
  const added: [number, string, string][] = [
    [0, "a", "none"],
    [1, "b", "late"],
    [2, "b", "early"],
    [3.5, "b", "late"],
    [1, "a", "none"],
  ];
  for (const [count, outcome, reason] of added) {
    ours.add(count, outcome, reason);
    other.inc({ outcome, reason }, count);
  }
  const sorted = async (registry: Registry) => (await registry.metrics()).split("\n").sort().join("\n");
  t.equal(await sorted(own), await sorted(theirs));
  t.match(await own.metrics(), 'x_total{outcome="b",reason="late"} 4.5');
});

t.test("without labels it has one series, which starts at 0", async (t) => {
  const [own, theirs] = [new Registry(), new Registry()];
  const ours = createSeriesCounter(own, { name: "x_total", help: "Help." });
  const other = new Counter({ name: "x_total", help: "Help.", registers: [theirs] });
  t.equal(await own.metrics(), await theirs.metrics());
  ours.add(3);
  other.inc(3);
  t.equal(await own.metrics(), await theirs.metrics());
});
