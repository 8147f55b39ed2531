import t from "tap";
import { BlackHoleWatch } from "#src/path-mtu/black-hole-watch.js";

const RTT_MS = 40;

/** A sender of `packets` large packets every 33 ms; `isLost` says which get lost, which is known a round trip later. */
function run(options: {
  readonly untilMs: number;
  readonly packets?: number;
  readonly isLost: (index: number) => boolean;
  readonly isAnswered?: boolean;
}): number | undefined {
  const watch = new BlackHoleWatch();
  const losses: { atMs: number; bytes: number }[] = [];
  let lostBytes = 0;
  let index = 0;
  for (let nowMs = 0; nowMs < options.untilMs; nowMs++) {
    for (const loss of losses.filter(({ atMs }) => atMs === nowMs)) lostBytes += loss.bytes;
    // Small packets keep coming back: the path lives.
    if (options.isAnswered !== false && nowMs % 10 === 0) watch.handleReceived();
    if (nowMs % 33 === 0) {
      for (let i = 0; i < (options.packets ?? 5); i++) {
        watch.handleSent(1350, nowMs, lostBytes);
        if (options.isLost(index++)) losses.push({ atMs: nowMs + RTT_MS + 5, bytes: 1350 });
      }
    }
    if (watch.look(nowMs, RTT_MS, lostBytes)) return nowMs;
  }
  return undefined;
}

t.test(
  "all large packets lost: noticed within 300 ms, or after eight packets of a slow sender",
  async (t) => {
    const noticedMs = run({ untilMs: 1000, isLost: () => true });
    t.ok(noticedMs !== undefined && noticedMs < 300, `${noticedMs} ms`);
    const slowMs = run({ untilMs: 1000, packets: 1, isLost: () => true });
    t.ok(slowMs !== undefined && slowMs < 500, `${slowMs} ms`);
  },
);

t.test("it is noticed in the middle of a session too", async (t) => {
  const noticedMs = run({ untilMs: 3000, isLost: (index) => index >= 150 });
  t.ok(noticedMs !== undefined && noticedMs > 1000 && noticedMs < 1500, `${noticedMs} ms`);
});

t.test("loss at random and in bursts, and congestion, are none", async (t) => {
  t.equal(run({ untilMs: 60_000, isLost: () => false }), undefined, "none");
  t.equal(run({ untilMs: 60_000, isLost: (index) => (index * 7919) % 10 < 3 }), undefined, "30 %");
  t.equal(run({ untilMs: 60_000, isLost: (index) => index % 60 < 8 }), undefined, "eight in a row");
});

t.test("silence after large packets is one, whatever its reason; silence without them is not", async (t) => {
  const noticedMs = run({ untilMs: 2000, isLost: () => false, isAnswered: false });
  t.ok(noticedMs !== undefined && noticedMs >= 3 * RTT_MS + 150 && noticedMs < 300, `${noticedMs} ms`);
  const watch = new BlackHoleWatch();
  t.equal(watch.look(100_000, RTT_MS, 0), false);
  watch.handleSent(1350, 100_000, 0);
  watch.handleReceived();
  t.equal(watch.look(200_000, RTT_MS, 0), false);
});
