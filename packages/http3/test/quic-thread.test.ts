import t from "tap";
import { SHARED } from "#src/quiche/messages.js";
import { startWorkerThread } from "#src/quiche/quic-thread.js";

/** Sleeps as soon as it runs, for longer than any test, and tells what has ended its sleep. */
const SLEEPER = `
  import { parentPort, workerData } from "node:worker_threads";
  const shared = new Int32Array(workerData);
  const ended = Atomics.wait(shared, ${SHARED.BATCHES_POSTED}, 0, 600_000);
  parentPort.postMessage([{ type: "connect-failed", session: 1, kind: "refused", message: ended }]);
`;

t.test("what the main thread posts ends the worker's sleep", { timeout: 60_000 }, async (t) => {
  const shared = new Int32Array(new SharedArrayBuffer(4 * SHARED.COUNT));
  const woken = new Promise<unknown>((resolve, reject) => {
    const thread = startWorkerThread(new URL(`data:text/javascript,${encodeURIComponent(SLEEPER)}`), shared, {
      onMessages: ([message]) => resolve(message),
      onError: reject,
      onExit() {},
      flush: () => false,
    });
    t.teardown(() => thread.terminate());
    thread.post([{ type: "census", id: 1 }], []);
  });
  t.match(await woken, { message: /^(ok|not-equal)$/ });
  t.equal(shared[SHARED.BATCHES_POSTED], 1);
  t.equal(shared[SHARED.BATCHES_TAKEN], 1);
});
