import t from "tap";
import { findChange, findChangeByShort, isFaster } from "#src/path-change.js";
import { createIntegers } from "./integers.js";

/** Trains of 8,400 bytes at so many megabits a second, one a millisecond. */
function trains(...megabits: number[]) {
  return megabits.map((rate, atMs) => ({ atMs, spreadMs: 67.2 / rate, bitsPerSecond: rate * 1e6 }));
}

t.test("three trains in a row that are unlike all before are of another path", async (t) => {
  t.equal(findChange(trains(20, 20, 20, 2, 2), 20e6), undefined, "two may be a stall");
  t.equal(findChange(trains(20, 20, 20, 1, 1), 20e6), 3, "none that lasts 64 ms twice");
  t.equal(findChange(trains(20, 20, 20, 2, 2, 2), 20e6), 3);
  t.equal(findChange(trains(20, 20, 2, 2, 2), 20e6), undefined, "too little is known of the one before");
  t.equal(findChange(trains(20, 20, 20, 2, 20, 2), 20e6), undefined);
  t.equal(findChange(trains(20, 20, 20, 2, 40, 2), 20e6), undefined, "not in the same direction");
  t.equal(findChange(trains(20, 20, 20, 15, 15, 15), 20e6), undefined, "the traffic of others does so much");
  t.equal(findChange(trains(20, 2, 20, 20, 2, 2, 2), 20e6), undefined, "one of a few was like them");
  t.equal(findChange(trains(20, 4, 20, 20, 2, 2, 2), 20e6), 4, "it was slow, but not like them");
  t.equal(findChange(trains(2, 20, 20, 20, 20, 20, 20, 20, 2, 2, 2), 20e6), 8, "one of some");
  t.equal(findChange([], 20e6), undefined);
});

t.test("two are enough where timers cannot have made them so fast", async (t) => {
  t.equal(findChange(trains(4, 4, 4, 20, 20), 4e6), 3, "17 ms became 3");
  t.equal(findChange(trains(100, 100, 100, 500, 500), 100e6), undefined, "0.7 ms became 0.1");
  t.equal(findChange(trains(100, 100, 100, 500, 500, 500), 100e6), 3);
  t.equal(isFaster(trains(29)[0]!, 20e6), true);
  t.equal(isFaster(trains(28)[0]!, 20e6), false);
});

t.test("short trains tell of a change only by milliseconds that no timer makes", async (t) => {
  const before = trains(20, 20, 20, 20);
  const short = (...spreads: number[]) =>
    spreads.map((spreadMs, i) => ({ atMs: 10 + i, spreadMs, bitsPerSecond: 28_800_000 / spreadMs }));
  t.equal(findChangeByShort(before, short(14, 14, 14), 20e6), 10, "14 ms instead of 1.4");
  t.equal(findChangeByShort(before, short(14, 14), 20e6), undefined);
  t.equal(findChangeByShort(before, short(60, 60), 20e6), 10, "two are enough where no stall lasts so long");
  t.equal(findChangeByShort(before, short(5, 5, 5), 20e6), undefined, "5 ms may be a timer's");
  t.equal(findChangeByShort(before, short(14, 1, 14, 14), 20e6), undefined, "one was like before");
  t.equal(
    findChangeByShort(trains(2, 2, 2), short(2, 2, 2), 2e6),
    10,
    "2 ms instead of 14: two of them are enough",
  );
});

t.test("a path that jitters is taken for another one less than once in 500 trains", async (t) => {
  for (const seed of [1, 2, 3]) {
    const integers = createIntegers(seed);
    // Most trains are a few milliseconds longer, every tenth is held up by as much again as it takes.
    const spreads = Array.from({ length: 5_000 }, () => {
      const jitterMs = integers.between(-10, 20) / 10;
      return 3.4 + jitterMs + (integers.between(0, 9) === 0 ? integers.between(0, 200) / 10 : 0);
    });
    const all = spreads.map((spreadMs, atMs) => ({ atMs, spreadMs, bitsPerSecond: 67_200_000 / spreadMs }));
    let found = 0;
    for (let end = 64; end <= all.length; end++)
      if (findChange(all.slice(end - 64, end), 18e6) !== undefined) found++;
    t.ok(found < 10, `seed ${seed}: ${found} in 5,000`);
  }
});
