import { setFlagsFromString } from "node:v8";
import { createVirtualClock } from "@sluice/simnet";
import { createTensor } from "@sluice/tensor";
import t from "tap";
import type { Lane } from "#src/scheduling/job.js";
import { createScheduler, type FrameTask, jobOf } from "#src/scheduling/scheduler.js";
import type { ServedNetwork } from "#src/served-model.js";

const context = { missing: new Uint8Array(1), missingCount: 0 };

/** A scheduler on virtual time, and what became of each frame. */
function createBench() {
  const clock = createVirtualClock();
  const scheduler = createScheduler({
    clock: {
      now: () => clock.now(),
      schedule: (delayMs, call) => clock.after(delayMs, call),
      cancel: (timer) => timer && clock.cancel(timer as ReturnType<typeof clock.after>),
    },
    ...{ concurrency: 1, maxWaiting: 100, maxWaitingBytes: 1e6 },
  });
  const log: string[] = [];
  /** Fails on batches that hold a poisoned frame (a negative value). */
  const network: ServedNetwork<number> = {
    ...{ maxFrames: 4, isSerial: true },
    costs: [1, 2, 4].map((frames) => ({ frames, ms: 8 + 2 * frames })),
    run: (frames) => {
      const values = frames.map(({ tensor }) => tensor.data[0]!);
      log.push(`run ${values.join("+")}`);
      return new Promise((resolve, reject) => {
        clock.after(8 + 2 * frames.length, () => {
          if (values.some((value) => value < 0)) reject(new Error("poison"));
          else resolve(values);
        });
      });
    },
  };
  const account = scheduler.openAccount();
  return {
    ...{ scheduler, log, clock, account },
    push(value: number, expiresAtMs = 1_000, other = account, another = network) {
      scheduler.push({
        ...{ account: other, network: another, expiresAtMs, bytes: 4 },
        prepare: () =>
          value === 0 ? undefined : { tensor: createTensor("float32", [1], Float32Array.of(value)), context },
        done: (output, waitMs, inferenceMs) => log.push(`${value} done ${output} ${waitMs} ${inferenceMs}`),
        failed: (error, waitMs, inferenceMs) =>
          log.push(`${value} ${(error as Error).message} ${waitMs} ${inferenceMs}`),
        shed: (reason) => log.push(`${value} ${reason}`),
      });
    },
    /** Lets time pass; promises settle between any two events. */
    async runUntil(timeMs: number) {
      for (;;) {
        for (let i = 0; i < 20; i++) await undefined;
        const next = clock.nextTimeMs();
        if (next === undefined || next > timeMs) break;
        clock.step();
      }
      clock.runUntil(timeMs);
    },
  };
}

t.test("a frame in a batch knows how long it waited behind the one before it", async (t) => {
  const bench = createBench();
  for (const value of [1, 2, 3, 4, 5]) bench.push(value);
  await bench.runUntil(100);
  t.same(bench.log, [
    ...["run 1", "run 2+3+4+5", "1 done 1 0 10"],
    // Posted at 0, at work from 10 to 16: the network of this test works on both at once.
    ...["2 done 2 10 6", "3 done 3 10 6", "4 done 4 10 6", "5 done 5 10 6"],
  ]);
  t.match(bench.scheduler.figures, { batches: 2, frames: 5, busyMs: 16, shed: 0, retriedBatches: 0 });
});

t.test("a batch that fails is tried again frame by frame: only the one to blame fails", async (t) => {
  const bench = createBench();
  bench.push(9);
  for (const value of [1, -1, 2]) bench.push(value);
  await bench.runUntil(200);
  t.same(bench.log, [
    ...["run 9", "9 done 9 0 10", "run 1+-1+2"],
    ...["run 1", "1 done 1 0 10", "run -1", "-1 poison 0 10", "run 2", "2 done 2 0 10"],
  ]);
  t.match(bench.scheduler.figures, { retriedBatches: 1, shed: 0 });
});

t.test("a retry that would be late is shed, and the lane goes on", async (t) => {
  const bench = createBench();
  bench.push(9);
  for (const value of [-1, -2]) bench.push(value, 40);
  await bench.runUntil(200);
  // 10 to 22 together, -1 from 22 to 32; -2 would end at 42.
  t.same(bench.log.slice(2), ["run -1+-2", "run -1", "-1 poison 0 10", "-2 late"]);
  bench.push(3);
  await bench.runUntil(300);
  t.same(bench.log.slice(-2), ["run 3", "3 done 3 0 10"]);
});

t.test("a network is told how long its frames are of use, and one that gives up then was late", async (t) => {
  const bench = createBench();
  const network: ServedNetwork<number> = {
    maxFrames: 2,
    costs: [1, 2].map((frames) => ({ frames, ms: 5 * frames })),
    run: (frames, { timeoutMs } = {}) => {
      bench.log.push(`${frames.length} frames, ${timeoutMs} ms`);
      return new Promise((_, reject) => bench.clock.after(timeoutMs!, () => reject(new Error("silence"))));
    },
  };
  bench.push(1, 40, bench.account, network);
  bench.push(2, 60, bench.account, network);
  bench.push(3, 90, bench.account, network);
  await bench.runUntil(500);
  t.same(bench.log, ["1 frames, 40 ms", "2 frames, 90 ms", "1 late", "2 late", "3 late"]);
  t.match(bench.scheduler.figures, { shed: 3 });
});

t.test("a frame with nothing to run is left out", async (t) => {
  const bench = createBench();
  bench.push(0);
  bench.push(1);
  await bench.runUntil(100);
  t.same(bench.log, ["run 1", "1 done 1 0 10"]);
});

t.test("what waits for a session that has ended is given up", async (t) => {
  const bench = createBench();
  const gone = bench.scheduler.openAccount();
  bench.push(1);
  bench.push(2, 1_000, gone);
  bench.push(3);
  bench.scheduler.closeAccount(gone);
  await bench.runUntil(100);
  t.same(bench.log, ["run 1", "2 closed", "1 done 1 0 10", "run 3", "3 done 3 0 10"]);
});

t.test("frames that wait have one form: of many, each look at one would go through a table", async (t) => {
  setFlagsFromString("--allow-natives-syntax");
  const areAlike = new Function("a", "b", "return %HaveSameMap(a, b)") as (a: object, b: object) => boolean;
  const task = { account: {}, expiresAtMs: 1, bytes: 2 } as FrameTask;
  const lane = {} as Lane;
  /** Of many, for V8 begins with it when it has seen some. */
  const lastTwo = (make: (i: number) => object) => Array.from({ length: 1_000 }, (_, i) => make(i)).slice(-2);
  const [job, another] = lastTwo((i) => jobOf(task, lane, i));
  t.ok(areAlike(job!, another!));
  const [one, other] = lastTwo((i) => ({ ...{ task, lane, expiresAtMs: 1, bytes: 2 }, arrivedMs: i }));
  t.notOk(areAlike(one!, other!), "unlike objects made by a spread");
});
