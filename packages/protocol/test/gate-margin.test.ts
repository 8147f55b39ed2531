import t from "tap";
import { createGateMargin } from "#src/gate-margin.js";
import { createQuietTime } from "#src/quiet-time.js";

t.test("the margin rises with late frames, within bounds, and comes back", async (t) => {
  const margin = createGateMargin();
  const least = margin.share;
  for (let i = 0; i < 1_000; i++) margin.add(true);
  t.equal(margin.share, least);
  margin.add(false);
  t.ok(margin.share > 1.5 * least, "one late frame counts");
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

t.test("how long nothing may come follows the gaps of the last frames", async (t) => {
  const quiet = createQuietTime();
  t.equal(quiet.ms, 60, "nothing is known");
  const frame = (gapMs: number) => {
    for (let i = 0; i < 10; i++) quiet.addGap(i === 5 ? gapMs : 1);
    quiet.forget();
  };
  for (let i = 0; i < 200; i++) frame(1);
  t.equal(quiet.ms, 12);
  frame(15);
  t.ok(quiet.ms > 30, "a gap is allowed for");
  for (let i = 0; i < 200; i++) frame(15);
  t.ok(quiet.ms > 30 && quiet.ms < 40);
  for (let i = 0; i < 200; i++) frame(1);
  quiet.addMiss(20);
  t.equal(quiet.ms, 36, "12 ms and 20 were not enough");
  quiet.addMiss(1_000);
  t.equal(quiet.ms, 60);
});
