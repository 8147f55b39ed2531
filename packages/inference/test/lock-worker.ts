/** Adds to a number that threads share, in two steps between which another one could come. */
import { threadId, workerData } from "node:worker_threads";
import { openThreadLock } from "#src/onnxruntime/thread-lock.js";

const { lock, sum, times } = workerData as { lock: SharedArrayBuffer; sum: Int32Array; times: number };
const { hold } = openThreadLock(lock, threadId);
const never = new Int32Array(new SharedArrayBuffer(4));
for (let i = 0; i < times; i++) {
  await hold(async () => {
    const before = sum[0]!;
    Atomics.wait(never, 0, 0, 1);
    sum[0] = before + 1;
  });
}
