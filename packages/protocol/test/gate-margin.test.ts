import t from "tap";
import { createGateMargin } from "#src/gate-margin.js";

t.test("the margin rises with late frames, within bounds, and comes back", async (t) => {
  const margin = createGateMargin();
  const least = margin.share;
  for (let i = 0; i < 1_000; i++) margin.add(true);
  t.equal(margin.share, least);
  margin.add(false);
  t.ok(margin.share > 1.4 * least, "one late frame counts");
  for (let i = 0; i < 100; i++) margin.add(false);
  t.equal(margin.share, 0.2);
  for (let i = 0; i < 1_300; i++) margin.add(true);
  t.equal(margin.share, least);
});

t.test("the margin holds where one frame in four hundred is late", async (t) => {
  const margin = createGateMargin();
  margin.add(false);
  margin.add(false);
  const before = margin.share;
  for (let i = 1; i <= 4_010; i++) margin.add(i % 401 !== 0);
  t.ok(Math.abs(margin.share - before) < 1e-9, `${before} to ${margin.share}`);
});
