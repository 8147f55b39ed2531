import t from "tap";
import { backlogMs, findSlowMoments, isTouched, slowShare } from "../server/slow-moments.mjs";

const sample = (atMs, tookMs) => ({ atMs, tookMs });

t.test("slow moments: work that takes more than twice as long, joined where they are close", async (t) => {
  const samples = Array.from({ length: 100 }, (_, i) => sample(i * 10, 1));
  samples[30] = sample(300, 4);
  samples[32] = sample(320, 2.5);
  samples[60] = sample(600, 1.9);
  samples[80] = sample(800, 9);
  t.same(findSlowMoments(samples), [
    { fromMs: 300, toMs: 322.5 },
    { fromMs: 800, toMs: 809 },
  ]);
  t.same(findSlowMoments([]), []);
});

t.test("a frame is touched by a slow moment that it meets, and by the backlog behind it", async (t) => {
  const moments = [{ fromMs: 100, toMs: 200 }];
  t.ok(isTouched(moments, 90, 101), "under way when it began");
  t.ok(isTouched(moments, 201 + backlogMs - 5, 400), "in the backlog");
  t.notOk(isTouched(moments, 50, 99), "done before it");
  t.notOk(isTouched(moments, 201 + backlogMs, 400), "begun after the backlog");
});

t.test("the share of slow time", async (t) => {
  t.equal(
    slowShare(
      [
        { fromMs: 0, toMs: 30 },
        { fromMs: 50, toMs: 70 },
      ],
      500,
    ),
    0.1,
  );
});
