import { once } from "node:events";
import { Worker } from "node:worker_threads";
import t from "tap";
import { createLockMemory, openThreadLock, releaseThreadLock } from "#src/onnxruntime/thread-lock.js";

t.test("one thread at a time is let in, and all of them in the end", async (t) => {
  const lock = createLockMemory();
  const sum = new Int32Array(new SharedArrayBuffer(4));
  const times = 50;
  const url = new URL("./lock-worker.js", import.meta.url);
  const workers = [1, 2, 3].map(() => new Worker(url, { workerData: { lock, sum, times } }));
  const codes = await Promise.all(workers.map(async (worker) => (await once(worker, "exit"))[0]));
  t.strictSame(codes, [0, 0, 0]);
  t.equal(sum[0], 3 * times);
});

t.test("a failure lets go of the lock", async (t) => {
  const { hold } = openThreadLock(createLockMemory(), 7);
  await t.rejects(
    hold(() => Promise.reject(new Error("out of luck"))),
    { message: "out of luck" },
  );
  t.equal(await hold(async () => 5), 5);
});

t.test("only its holder's end frees it", async (t) => {
  const memory = createLockMemory();
  const state = new Int32Array(memory);
  await openThreadLock(memory, 7).hold(async () => {
    releaseThreadLock(memory, 8);
    t.equal(state[0], 7);
    // What the main thread does when the thread 7 has ended.
    releaseThreadLock(memory, 7);
    t.equal(state[0], 0);
  });
});
