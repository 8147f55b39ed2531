import { Histogram, Registry } from "prom-client";
import t from "tap";
import { createHistogram } from "#src/histogram.js";

const buckets = [0, 0.001, 0.5, 1];
const values = [0, 0.0005, 0.001, 0.0011, 0.5, 0.75, 1, 1.5, 1e9];

t.test("it reads as one of prom-client's that was told the same", async (t) => {
  const [own, theirs] = [new Registry(), new Registry()];
  const ours = createHistogram(own, {
    ...{ name: "x_seconds", help: "Help.", buckets, label: { name: "stage", values: ["a", "b"] } },
  });
  const labelNames = ["stage"];
  const other = new Histogram({ name: "x_seconds", help: "Help.", buckets, labelNames, registers: [theirs] });
  for (const stage of ["a", "b"]) other.zero({ stage });
  t.equal(await own.metrics(), await theirs.metrics(), "series that are named begin at 0");
  for (const [i, value] of values.entries()) {
    const stage = ["a", "c"][i % 2]!;
    ours.observe(value, stage);
    other.observe({ stage }, value);
  }
  t.equal(await own.metrics(), await theirs.metrics());
  t.match(await own.metrics(), 'x_seconds_bucket{le="+Inf",stage="c"} 4');
});

t.test("without a label it has one series", async (t) => {
  const [own, theirs] = [new Registry(), new Registry()];
  const ours = createHistogram(own, { name: "x_ratio", help: "Help.", buckets });
  const other = new Histogram({ name: "x_ratio", help: "Help.", buckets, registers: [theirs] });
  t.equal(await own.metrics(), await theirs.metrics());
  for (const value of values) {
    ours.observe(value);
    other.observe(value);
  }
  t.equal(await own.metrics(), await theirs.metrics());
});
