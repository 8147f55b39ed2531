import t from "tap";
import { createSliceCover } from "#src/slice-cover.js";
import { createIntegers } from "./integers.js";

t.test("counts the same units as a bitmap", async (t) => {
  const seed = 4;
  t.comment(`seed ${seed}`);
  const integers = createIntegers(seed);
  let wrong = 0;
  for (let round = 0; round < 1_000; round++) {
    const units = integers.between(1, 200);
    const bitmap = new Uint8Array(units);
    const cover = createSliceCover();
    for (let step = 0; step < 40; step++) {
      const first = integers.between(0, units - 1);
      const end = integers.between(first + 1, Math.min(units, first + 1 + (units >> 2)));
      let added = 0;
      for (let i = first; i < end; i++) {
        if (bitmap[i] === 0) added++;
        bitmap[i] = 1;
      }
      const total = bitmap.reduce((sum, times) => sum + times, 0);
      if (cover.add(first, end) !== added || cover.covered !== total) wrong++;
    }
  }
  t.equal(wrong, 0);
});

t.test("touching ranges become one, and one range may swallow many", async (t) => {
  const cover = createSliceCover();
  t.equal(cover.add(10, 20), 10);
  t.equal(cover.add(20, 30), 10);
  t.equal(cover.add(0, 5), 5);
  t.equal(cover.add(40, 50), 10);
  t.equal(cover.add(10, 30), 0);
  t.equal(cover.add(0, 50), 15);
  t.equal(cover.covered, 50);
});
