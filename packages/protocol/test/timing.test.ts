import t from "tap";
import { createLatestMedian } from "#src/latest-median.js";
import { createPacer } from "#src/pacer.js";
import { createPinger } from "#src/pinger.js";
import { createRateLimiter } from "#src/rate-limiter.js";
import { createRttEstimator } from "#src/rtt-estimator.js";

t.test("round-trip time as in RFC 9002", async (t) => {
  const rtt = createRttEstimator();
  t.same([rtt.smoothedMs, rtt.minMs], [undefined, undefined]);
  rtt.add(100, 0);
  t.same([rtt.smoothedMs, rtt.variationMs, rtt.minMs], [100, 50, 100]);
  rtt.add(180, 10);
  t.same([rtt.smoothedMs, rtt.variationMs, rtt.minMs], [110, 57.5, 100]);
  for (const wild of [-1, Number.NaN]) rtt.add(wild, 20);
  t.equal(rtt.smoothedMs, 110, "what no clock measures is ignored");
  rtt.add(0, 30);
  t.equal(rtt.minMs, 0);
});

t.test("the smallest round trip is that of the last seconds", async (t) => {
  const rtt = createRttEstimator();
  rtt.add(20, 0);
  rtt.add(60, 9_999);
  t.equal(rtt.minMs, 20);
  rtt.add(60, 10_001);
  t.equal(rtt.minMs, 60);
});

t.test("what holds a few pings up is not taken for the round trip", async (t) => {
  const rtt = createRttEstimator();
  t.equal(rtt.commonMs, undefined);
  rtt.add(280, 0);
  t.equal(rtt.commonMs, 280, "nothing else is known");
  rtt.add(110, 50);
  t.equal(rtt.commonMs, 137.5, "of two the lower one, and a quarter of it");
  rtt.add(40, 100);
  rtt.add(44, 150);
  t.equal(rtt.commonMs, 55);
  t.ok(rtt.smoothedMs! > 200, `smoothed it is ${rtt.smoothedMs} ms still`);
  for (let i = 0; i < 50; i++) rtt.add(44, 200 + 250 * i);
  t.ok(
    Math.abs(rtt.commonMs! - rtt.smoothedMs!) < 1e-9,
    "where samples agree it is what they are smoothed to",
  );
  for (let i = 0; i < 4; i++) rtt.add(90, 20_000 + 250 * i);
  t.equal(rtt.commonMs, rtt.smoothedMs, "and a path that has become longer is believed as soon as ever");
  t.ok(rtt.commonMs! > 60);
});

t.test("the median of the latest samples, the lower one of two", async (t) => {
  const median = createLatestMedian(3);
  t.equal(median.value, undefined);
  const medians = [9, 1, 5, 6, 7, 0].map((sample) => {
    median.add(sample);
    return median.value;
  });
  t.same(medians, [9, 1, 5, 5, 6, 6]);
});

t.test("the pacer keeps the rate whatever the timer's grain", async (t) => {
  for (const grainMs of [0.1, 1, 4]) {
    const pacer = createPacer(1_000_000);
    pacer.resume(0);
    let sent = 0;
    for (let nowMs = 0; nowMs < 10_000; nowMs += grainMs) {
      while (pacer.readyAtMs() <= nowMs) {
        pacer.sent(1_000, nowMs);
        sent++;
      }
    }
    const burst = 10;
    t.ok(
      Math.abs(sent - burst - 1_250) <= 2,
      `${sent} datagrams of 1,000 bytes in 10 s with a grain of ${grainMs} ms`,
    );
  }
});

t.test("after a pause a short burst leaves, never what was saved up", async (t) => {
  const pacer = createPacer(8_000_000);
  t.ok(pacer.readyAtMs() < 0);
  pacer.resume(60_000);
  let burst = 0;
  for (; pacer.readyAtMs() <= 60_000; burst++) pacer.sent(1_000, 60_000);
  t.equal(burst, 10, "8 datagrams of 1,200 bytes, and the one that fills it");
  pacer.setRate(80_000_000);
  t.equal(pacer.bitsPerSecond, 80_000_000);
  const before = pacer.readyAtMs();
  pacer.sent(1_000, 60_000);
  t.ok(Math.abs(pacer.readyAtMs() - before - 0.1) < 1e-9);
  const fast = createPacer(80_000_000);
  fast.resume(60_000);
  let bytes = 0;
  for (; fast.readyAtMs() <= 60_000; bytes += 1_000) fast.sent(1_000, 60_000);
  t.equal(bytes, 41_000, "4 ms where that is more");
});

t.test(
  "a pacer whose timer was late makes up for what could have left meanwhile, for some of it",
  async (t) => {
    const bytesAt = (pacer: ReturnType<typeof createPacer>, nowMs: number) => {
      let bytes = 0;
      for (; pacer.readyAtMs() <= nowMs; bytes += 1_000) pacer.sent(1_000, nowMs);
      return bytes;
    };
    for (const [lateMs, madeUpMs] of [
      [10, 10],
      [20, 20],
      [500, 20],
    ] as const) {
      const pacer = createPacer(8_000_000);
      pacer.resume(0);
      const burst = bytesAt(pacer, 0);
      const made = bytesAt(pacer, lateMs);
      t.equal(made, 1_000 * madeUpMs + (madeUpMs < lateMs ? burst : 0), `${lateMs} ms late`);
    }
    const paused = createPacer(8_000_000);
    paused.resume(0);
    const burst = bytesAt(paused, 0);
    paused.resume(500);
    t.equal(bytesAt(paused, 500), burst, "where nothing waited, nothing is made up for");
  },
);

t.test(
  "large datagrams, between processes of one machine, leave in a burst of as many: one alone shows no rate",
  async (t) => {
    const pacer = createPacer(20_000_000);
    pacer.resume(0);
    pacer.sent(15_800, 0);
    let burst = 1;
    for (; pacer.readyAtMs() <= 0; burst++) pacer.sent(15_800, 0);
    t.equal(burst, 9, "8 datagrams, and the one that fills it");
  },
);

t.test("the rate limiter spaces frames evenly and allows its burst", async (t) => {
  for (const [burst, startedAtOnce] of [
    [1, 1],
    [3, 3],
  ] as const) {
    const limiter = createRateLimiter(10, { burst });
    let atOnce = 0;
    for (; limiter.freeAtMs() <= 5_000; atOnce++) limiter.take(5_000);
    t.equal(atOnce, startedAtOnce);
    let taken = 0;
    for (let nowMs = 5_001; nowMs <= 15_000; nowMs++) {
      if (limiter.freeAtMs() > nowMs) continue;
      limiter.take(nowMs);
      taken++;
    }
    t.equal(taken, 100);
  }
});

t.test("no limit, and limits that change", async (t) => {
  const limiter = createRateLimiter(0);
  for (let i = 0; i < 100; i++) limiter.take(0);
  t.ok(limiter.freeAtMs() <= 0);
  limiter.setLimit(2);
  limiter.take(0);
  t.equal(limiter.freeAtMs(), 500);
  limiter.setLimit(0);
  t.ok(limiter.freeAtMs() < 0);
});

t.test("a new limit holds at once for what was counted under the old one", async (t) => {
  const limiter = createRateLimiter(1);
  limiter.take(1_000);
  t.equal(limiter.freeAtMs(), 2_000);
  limiter.setLimit(100);
  t.equal(limiter.freeAtMs(), 1_010);
  limiter.setLimit(0.1);
  t.equal(limiter.freeAtMs(), 11_000);
});

t.test(
  "bytes are paid off by time, and a second's bytes may come early where that is tolerated",
  async (t) => {
    const exact = createRateLimiter(10_000);
    t.ok(exact.freeAtMs() <= 0, "also a frame of more than a second's bytes may start");
    exact.take(0, 25_000);
    t.equal(exact.freeAtMs(), 2_500);
    exact.take(2_500, 5_000);
    t.equal(exact.freeAtMs(), 3_000);
    const tolerant = createRateLimiter(10_000, { ms: 1_000 });
    for (let i = 0; i < 11; i++) {
      t.ok(tolerant.freeAtMs() <= 0, `${i} kB`);
      tolerant.take(0, 1_000);
    }
    t.equal(tolerant.freeAtMs(), 100);
  },
);

t.test("pings come quickly first, then steadily, and each pong counts once", async (t) => {
  const pinger = createPinger();
  const times: number[] = [];
  for (let nowMs = 0; nowMs <= 1_000; nowMs++) {
    pinger.use(nowMs);
    if (pinger.nextTimeoutMs() > nowMs) continue;
    const id = pinger.take(nowMs, { heardMs: nowMs });
    times.push(nowMs);
    t.equal(pinger.handlePong(id, nowMs + 30), 30);
    t.equal(pinger.handlePong(id, nowMs + 31), undefined);
  }
  t.same(times, [0, 50, 100, 150, 200, 450, 700, 950]);
  pinger.take(1_000, { heardMs: 1_000, isHurried: true });
  t.equal(pinger.nextTimeoutMs(), 1_050, "while nothing comes back they are quick again");
  t.equal(pinger.handlePong(0, 0), undefined);
  t.equal(pinger.handlePong(999, 0), undefined);
});

t.test("without frames pings are rare, until there is one or the other side is silent", async (t) => {
  const pinger = createPinger();
  /** When pings leave from `fromMs` on; the other side was heard of at `heardMs`, or is heard all the time. */
  const timesUntil = (endMs: number, fromMs: number, heardMs?: number) => {
    const times: number[] = [];
    for (let nowMs = fromMs; nowMs <= endMs; nowMs++) {
      if (pinger.nextTimeoutMs() > nowMs) continue;
      pinger.take(nowMs, { heardMs: heardMs ?? nowMs });
      times.push(nowMs);
    }
    return times;
  };
  t.same(timesUntil(5_000, 0).slice(4, 9), [200, 450, 700, 1_700, 2_700], "a new session will be used");
  pinger.use(5_001);
  t.ok(pinger.nextTimeoutMs() <= 5_001, "a frame wants a fresh figure");
  t.same(timesUntil(8_000, 5_001).slice(0, 3), [5_001, 5_251, 5_501]);
  t.same(timesUntil(10_600, 8_001, 8_001), [8_751, 9_751, 10_001, 10_251, 10_501]);
});

t.test("pings that are never answered are forgotten", async (t) => {
  const pinger = createPinger();
  const first = pinger.take(0, { heardMs: 0 });
  let last = first;
  for (let i = 1; i <= 32; i++) last = pinger.take(i, { heardMs: i });
  t.equal(pinger.handlePong(first, 100), undefined);
  t.equal(pinger.handlePong(last, 100), 68);
});
