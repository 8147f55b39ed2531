import t from "tap";
import { backlogMs, findSlowMoments, isTouched, slowShare } from "../pace/slow-moments.mjs";
import { formatSlowMoments } from "../peers/report/slow-moments.mjs";
import { slowFiguresOf } from "../peers/slow-figures.mjs";

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

t.test("figures of a paced run: all frames, and those clear of slow moments", async (t) => {
  const frame = (offeredMs, latencyMs) => ({ offeredMs, status: "answered", ok: true, share: 1, latencyMs });
  const frames = [
    frame(0, 50),
    frame(100, 180),
    frame(200, 170),
    frame(600, 60),
    { offeredMs: 700, status: "capped" },
  ];
  const moments = [{ fromMs: 1_150, toMs: 1_250 }];
  const slow = slowFiguresOf(frames, { moments, startedMs: 1_000, seconds: 1, deadlineMs: 150 });
  t.same(slow, { share: 0.1, clear: { offered: 3, inTime: 0.66667, p99Ms: 60 } });
  const cell = {
    name: "sluice",
    variant: "sluice",
    bytes: 5_120,
    loss: 0.05,
    figures: { inTime: 0.4, p99Ms: 180 },
    slow,
  };
  t.match(
    formatSlowMoments({ cells: [cell, { name: "ws", error: "broken" }] }),
    /\| 5,120 B, 5.0 % \| Sluice \| 10.0 \| 40.0 \| 66.7 \| 180 \| 60 \|/,
  );
  t.equal(formatSlowMoments({ cells: [{ ...cell, slow: undefined }] }), undefined);
});
