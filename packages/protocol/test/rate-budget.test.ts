import t from "tap";
import { createRateBudget } from "#src/rate-budget.js";

t.test("the budget is made up for at the rate, whatever it is taken in", async (t) => {
  const budget = createRateBudget();
  budget.charge(1e9, 0);
  t.equal(budget.waitMs(0), 0, "no rate, no wait");
  budget.setRate(8_000_000, 0);
  budget.charge(-2e9, 0);
  budget.charge(10_000, 0);
  t.equal(budget.waitMs(0), 10);
  t.equal(budget.waitMs(4), 6);
  budget.setRate(4_000_000, 4);
  t.equal(budget.waitMs(4), 12, "what is left takes longer at half the rate");
  budget.charge(-3_000, 4);
  t.equal(budget.waitMs(4), 6, "what was not used is given back");
  budget.charge(-1e6, 4);
  t.equal(budget.waitMs(4), 0, "but nothing is saved up");
  t.equal(budget.waitMs(3), 0, "time that goes back changes nothing");
});

t.test("a pause is one in time, whatever the rate is then", async (t) => {
  const budget = createRateBudget();
  budget.setRate(50_000_000, 0);
  budget.pause(100, 0);
  budget.setRate(300_000, 0);
  t.equal(
    budget.waitMs(0),
    100,
    "not the seconds that the lower rate takes for what the higher one would have sent",
  );
  budget.charge(750, 0);
  t.equal(budget.waitMs(0), 120);
  t.equal(budget.waitMs(100), 20, "nothing is made up for meanwhile");
  t.equal(budget.waitMs(130), 0);
});

t.test("no more is owed than what may still be on its way", async (t) => {
  const budget = createRateBudget();
  budget.setRate(8_000_000, 0);
  budget.charge(100_000, 0);
  budget.setRate(80_000, 0);
  t.equal(budget.waitMs(0), 10_000, "a frame of its own counts as a whole");
  budget.charge(100, 0);
  t.equal(budget.waitMs(0), 500, "but not behind many of before");
  for (let i = 0; i < 100; i++) budget.pause(50, 0);
  t.equal(budget.waitMs(0), 1_000, "nor do pauses add up");
});
