import t from "tap";
import { createQuietTime } from "#src/quiet-time.js";

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
