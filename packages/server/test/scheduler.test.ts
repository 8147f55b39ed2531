import { createVirtualClock } from "@sluice/simnet";
import t from "tap";
import { createScheduler, type SchedulerOptions } from "#src/scheduler.js";

/** A scheduler on virtual time, and what became of each job. */
function createBench(options: Partial<SchedulerOptions> = {}) {
  const clock = createVirtualClock();
  const scheduler = createScheduler({
    clock: { now: () => clock.now(), schedule: (delayMs, call) => clock.after(delayMs, call), cancel() {} },
    ...{ concurrency: 1, maxQueued: 100, maxQueuedBytes: 1_000, ...options },
  });
  const log: string[] = [];
  let running = 0;
  let mostRunning = 0;
  return {
    scheduler,
    log,
    get mostRunning() {
      return mostRunning;
    },
    push(name: string, expiresAtMs: number, workMs = 10, bytes = 1) {
      scheduler.push({
        expiresAtMs,
        bytes,
        run() {
          log.push(`${name} runs`);
          mostRunning = Math.max(mostRunning, ++running);
          return new Promise<void>((resolve, reject) => {
            clock.after(workMs, () => {
              running--;
              if (name === "faulty") reject(new Error("the work failed"));
              else resolve();
            });
          });
        },
        shed: (reason) => log.push(`${name} ${reason}`),
      });
    },
    /** Lets time pass; promises settle between any two events. */
    async runUntil(timeMs: number) {
      for (;;) {
        for (let i = 0; i < 10; i++) await undefined;
        const next = clock.nextTimeMs();
        if (next === undefined || next > timeMs) break;
        clock.step();
      }
      clock.runUntil(timeMs);
    },
  };
}

t.test("the frame that is due first runs first", async (t) => {
  const bench = createBench();
  bench.push("first", 1_000);
  for (const [name, expiresAtMs] of [
    ["late", 900],
    ["early", 300],
    ["middle", 500],
    ["middle too", 500],
  ] as const) {
    bench.push(name, expiresAtMs);
  }
  t.equal(bench.scheduler.queued, 4);
  await bench.runUntil(100);
  t.same(bench.log, ["first runs", "early runs", "middle runs", "middle too runs", "late runs"]);
  t.equal(bench.scheduler.queued, 0);
});

t.test("as many run at once as are allowed", async (t) => {
  const bench = createBench({ concurrency: 3 });
  for (let i = 0; i < 10; i++) bench.push(`${i}`, 1_000);
  await bench.runUntil(9);
  t.equal(bench.log.length, 3);
  await bench.runUntil(1_000);
  t.equal(bench.log.length, 10);
  t.equal(bench.mostRunning, 3);
});

t.test("what would be late is shed before any work is done on it", async (t) => {
  const bench = createBench();
  bench.push("past", -1);
  t.same(bench.log, ["past late"]);
  bench.push("slow", 1_000, 80);
  bench.push("hopeless", 50);
  await bench.runUntil(80);
  t.equal(
    bench.scheduler.runMs,
    9.5,
    "an eighth of the first duration, and less for the frame that was shed",
  );
  t.same(bench.log.slice(1), ["slow runs", "hopeless late"]);
  const { runMs } = bench.scheduler;
  bench.push("too tight", 80 + runMs - 0.1);
  bench.push("just in time", 80 + runMs);
  await bench.runUntil(200);
  t.same(bench.log.slice(3), ["too tight late", "just in time runs"]);
});

t.test("one slow run does not shut the door for good", async (t) => {
  const bench = createBench();
  bench.push("slow", 1e6, 8_000);
  await bench.runUntil(8_000);
  t.equal(bench.scheduler.runMs, 1_000);
  for (let i = 0; i < 100 && !bench.log.includes("next runs"); i++) bench.push("next", 8_000 + 150);
  t.ok(bench.log.includes("next runs"));
  t.ok(bench.log.filter((entry) => entry === "next late").length > 10);
});

t.test("the queue is bounded: what is due last is shed", async (t) => {
  const bench = createBench({ maxQueued: 2 });
  bench.push("running", 1_000);
  bench.push("a", 500);
  bench.push("b", 600);
  bench.push("c", 550);
  t.same(bench.log, ["running runs", "b full"]);
  bench.push("d", 700);
  t.same(bench.log.slice(2), ["d full"]);
  t.equal(bench.scheduler.queued, 2);
  await bench.runUntil(100);
  t.same(bench.log.slice(3), ["a runs", "c runs"]);
});

t.test("work that fails frees its place", async (t) => {
  const bench = createBench();
  bench.push("faulty", 1_000);
  bench.push("next", 1_000);
  await bench.runUntil(100);
  t.same(bench.log, ["faulty runs", "next runs"]);
});

t.test("bytes that wait are bounded: the last to be due are shed", async (t) => {
  const bench = createBench({ maxQueuedBytes: 100 });
  bench.push("running", 1_000, 10, 5_000);
  bench.push("a", 1_100, 10, 60);
  bench.push("b", 1_200, 10, 60);
  bench.push("c", 1_050, 10, 30);
  await bench.runUntil(100);
  t.same(bench.log, ["running runs", "b full", "c runs", "a runs"]);
});
