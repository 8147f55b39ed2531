import { createTensor } from "@sluice/tensor";
import t from "tap";
import { EngineError } from "#src/engine.js";
import { createEngineOver } from "#src/worker-engine/engine-over-session.js";
import type { WorkerSession } from "#src/worker-engine/session.js";
import { createSpareBuffers } from "#src/worker-engine/spare-buffers.js";

/** An engine over a session that takes batches while it has memory, on a clock of its own; `batches` has the size of each run. */
async function openEngine() {
  const state = { nowMs: 0, hasMemory: true, isBroken: false };
  const batches: number[] = [];
  const log: string[] = [];
  const info = { type: "float32", shape: ["N", 1] };
  const session: WorkerSession = {
    inputs: [{ name: "in", ...info }],
    outputs: [{ name: "out", ...info }],
    buffers: createSpareBuffers(),
    async run({ in: input }) {
      const samples = input!.dims[0]!;
      batches.push(samples);
      if (state.isBroken || (samples > 1 && !state.hasMemory))
        throw new EngineError("run-failed", "no memory");
      return [{ type: "float32", dims: [samples, 1], data: input!.data.slice(0, samples) }];
    },
    counters: () => ({ pending: 0, completed: 0, failed: 0, refused: 0 }),
    async close() {},
  };
  const engine = await createEngineOver(session, "any", {
    now: () => state.nowMs,
    onLog: (line) => void log.push(line),
  });
  /** Runs three samples; resolves to the sizes of the runs that it took. */
  const run = async () => {
    batches.length = 0;
    const results = await engine.runBatch(
      [1, 2, 3].map((n) => createTensor("float32", [1], Float32Array.of(n))),
    );
    const values = results.map(([output]) => output!.data[0]);
    if (values.join() !== "1,2,3") throw new Error(`three samples gave ${values.join()}`);
    return [...batches];
  };
  return { state, log, run };
}

t.test("after a passing failure batches are tried again", async (t) => {
  const { state, log, run } = await openEngine();
  t.strictSame(await run(), [3]);
  state.hasMemory = false;
  t.strictSame(await run(), [3, 1, 1, 1]);
  state.hasMemory = true;
  state.nowMs = 999;
  t.strictSame(await run(), [1, 1, 1], "not yet");
  state.nowMs = 1_000;
  t.strictSame(await run(), [3]);
  t.strictSame(await run(), [3]);
  t.strictSame(log, [
    "a batch of 3 failed and its samples run alone: one by one for 1 s (no memory)",
    "batches run again",
  ]);
  state.hasMemory = false;
  await run();
  t.match(log.at(-1), /one by one for 1 s/, "it starts afresh");
});

t.test(
  "a network that never takes batches is tried ever more rarely, but at least every five minutes",
  async (t) => {
    const { state, log, run } = await openEngine();
    state.hasMemory = false;
    const triedMs: number[] = [];
    for (; state.nowMs < 2_000_000; state.nowMs += 500) {
      if ((await run())[0] === 3) triedMs.push(state.nowMs);
    }
    const pauses = triedMs.slice(1).map((ms, i) => (ms - triedMs[i]!) / 1_000);
    t.strictSame(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300, 300].slice(0, pauses.length));
    t.ok(pauses.length > 10);
    t.equal(log.length, triedMs.length);
  },
);

t.test("where a sample fails alone as well, the batch is not to blame", async (t) => {
  const { state, log, run } = await openEngine();
  state.isBroken = true;
  await t.rejects(run(), { message: "no memory" });
  state.isBroken = false;
  t.strictSame(await run(), [3]);
  t.strictSame(log, []);
});
