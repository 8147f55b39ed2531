import { createVirtualClock } from "@sluice/simnet";
import type { Clock } from "@sluice/transport";
import t from "tap";
import { createExportQueue, type Sent } from "#src/export-queue.js";

function createHarness(maxWaiting = 8, maxBatch = 4) {
  const virtual = createVirtualClock();
  const clock: Clock = {
    now: virtual.now,
    schedule: virtual.after,
    cancel: (timer) => void virtual.cancel(timer as never),
  };
  const batches: { readonly atMs: number; readonly items: readonly number[] }[] = [];
  const failures: string[] = [];
  let answers: Sent[] = [];
  let hold: Promise<void> | undefined;
  const queue = createExportQueue<number>({
    ...{ clock, random: () => 0, maxWaiting, maxBatch, intervalMs: 1_000 },
    onFailure: (reason) => failures.push(reason),
    async send(items) {
      batches.push({ atMs: virtual.now(), items });
      await hold;
      return answers.shift() ?? { outcome: "done" };
    },
  });
  /** Time passes, and what was promised meanwhile is kept. */
  async function run(ms: number): Promise<void> {
    const endMs = virtual.now() + ms;
    await settle();
    while ((virtual.nextTimeMs() ?? Number.POSITIVE_INFINITY) <= endMs) {
      virtual.step();
      await settle();
    }
    virtual.runUntil(endMs);
  }
  return {
    ...{ queue, batches, failures, run },
    answer(...sent: Sent[]) {
      answers = sent;
    },
    holdUntil(promise: Promise<void>) {
      hold = promise;
    },
  };
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

t.test("batches: full ones at once, the rest after the interval", async (t) => {
  const { queue, batches, run } = createHarness();
  for (let i = 0; i < 6; i++) queue.push(i);
  await run(0);
  t.same(batches, [{ atMs: 0, items: [0, 1, 2, 3] }]);
  await run(1_000);
  t.same(batches.at(-1), { atMs: 1_000, items: [4, 5] });
  t.same(queue.figures, { exported: 6, dropped: 0, failed: 0 });
});

t.test("what comes beyond the bound is dropped and counted", async (t) => {
  const { queue, run, holdUntil } = createHarness();
  let release = () => {};
  holdUntil(
    new Promise((resolve) => {
      release = resolve;
    }),
  );
  for (let i = 0; i < 20; i++) queue.push(i);
  await run(0);
  t.equal(queue.figures.dropped, 8, "4 are sent, 8 wait");
  release();
  await run(2_000);
  t.same(queue.figures, { exported: 12, dropped: 8, failed: 0 });
});

t.test("tries again, later each time, and gives a batch up after five attempts", async (t) => {
  const { queue, batches, failures, run, answer } = createHarness();
  answer(...Array.from({ length: 5 }, (): Sent => ({ outcome: "again", reason: "503" })));
  for (let i = 0; i < 4; i++) queue.push(i);
  await run(60_000);
  t.same(
    batches.map(({ atMs }) => atMs),
    [0, 500, 1_500, 3_500, 7_500],
    "1, 2, 4 and 8 s, of which half at least",
  );
  t.same(queue.figures, { exported: 0, dropped: 0, failed: 4 });
  t.same(failures, ["503"], "told once");
  queue.push(9);
  await run(1_000);
  t.same(queue.figures, { exported: 1, dropped: 0, failed: 4 });
});

t.test("waits as long as it is told to, and does not repeat what is refused", async (t) => {
  const { queue, batches, run, answer } = createHarness();
  answer(
    { outcome: "again", reason: "429", afterMs: 9_000 },
    { outcome: "done" },
    { outcome: "refused", reason: "400" },
  );
  for (let i = 0; i < 4; i++) queue.push(i);
  await run(20_000);
  t.same(
    batches.map(({ atMs }) => atMs),
    [0, 9_000],
  );
  for (let i = 0; i < 4; i++) queue.push(i);
  await run(60_000);
  t.equal(batches.length, 3);
  t.same(queue.figures, { exported: 4, dropped: 0, failed: 4 });
});

t.test("the end: what waits is sent, for so long at most", async (t) => {
  const done = createHarness();
  for (let i = 0; i < 3; i++) done.queue.push(i);
  const closed = done.queue.close(5_000);
  t.equal(done.queue.close(1), closed, "twice is once");
  await done.run(0);
  await closed;
  t.same(done.queue.figures, { exported: 3, dropped: 0, failed: 0 });
  done.queue.push(7);
  t.equal(done.queue.figures.dropped, 1, "nothing is taken any more");

  const stuck = createHarness();
  stuck.holdUntil(new Promise(() => {}));
  for (let i = 0; i < 6; i++) stuck.queue.push(i);
  let isClosed = false;
  const ending = stuck.queue.close(5_000).then(() => {
    isClosed = true;
  });
  await stuck.run(4_999);
  t.notOk(isClosed);
  await stuck.run(1);
  await ending;
  t.same(stuck.queue.figures, { exported: 0, dropped: 6, failed: 0 });
});
