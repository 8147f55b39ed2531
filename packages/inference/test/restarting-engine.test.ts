import { createRestartingEngine, type Engine, EngineError, loadOnnxruntime } from "@sluice/inference";
import { createTensor } from "@sluice/tensor";
import t from "tap";
import { tinyModelBytes } from "./tiny-model.js";

const input = createTensor("float32", [1], Float32Array.of(1));

/** Engines that crash at their n-th run, and note what became of them. */
function createLoader(crashAt: readonly number[], failLoads: readonly number[] = []) {
  const log: string[] = [];
  let loads = 0;
  const load = async (): Promise<Engine> => {
    const number = loads++;
    if (failLoads.includes(number)) throw new EngineError("load-failed", "no memory");
    let runs = 0;
    let crashed = false;
    const run = async () => {
      crashed ||= ++runs === crashAt[number];
      if (crashed) throw new EngineError("crashed", "gone");
      return [createTensor("float32", [1], Float32Array.of(number))];
    };
    return {
      ...{ inputs: [], outputs: [], run },
      runBatch: async (samples) => Promise.all(samples.map(run)),
      answer: async (samples) => Promise.all(samples.map(run)),
      counters: () => ({ pending: 0, completed: runs, failed: 0, refused: 0 }),
      close: async () => void log.push(`close ${number}`),
    };
  };
  return { load, log };
}

t.test("after a crash the next run has a new engine; the one that crashed fails", async (t) => {
  const { load, log } = createLoader([2]);
  const engine = await createRestartingEngine(load, { now: () => 0 });
  t.equal((await engine.run([input]))[0]?.data[0], 0);
  await t.rejects(engine.run([input]), { name: "EngineError", kind: "crashed" });
  t.equal((await engine.run([input]))[0]?.data[0], 1);
  t.equal((await engine.runBatch([input, input])).length, 2);
  t.equal(engine.counters().completed, 5, "counts go on");
  await engine.close();
  t.same(log, ["close 1"]);
});

t.test("runs that crash together have it replaced once", async (t) => {
  const { load } = createLoader([1, 0]);
  const engine = await createRestartingEngine(load, { now: () => 0 });
  const ended = await Promise.allSettled([1, 2, 3].map(() => engine.run([input])));
  t.ok(ended.every(({ status }) => status === "rejected"));
  t.equal((await engine.run([input]))[0]?.data[0], 1);
});

t.test("what crashes each time stays down, until a minute has gone", async (t) => {
  let nowMs = 0;
  const { load } = createLoader([1, 1, 1, 0]);
  const engine = await createRestartingEngine(load, { now: () => nowMs, maxCrashesPerMinute: 2 });
  for (let i = 0; i < 5; i++) await t.rejects(engine.run([input]), { name: "EngineError", kind: "crashed" });
  nowMs = 61_000;
  await t.rejects(engine.run([input]), { name: "EngineError", kind: "crashed" });
  t.equal((await engine.run([input]))[0]?.data[0], 3);
});

t.test("one that cannot be loaded again is tried again by the next run", async (t) => {
  const { load } = createLoader([1, 0, 0], [1]);
  const engine = await createRestartingEngine(load, { now: () => 0 });
  await t.rejects(engine.run([input]), { name: "EngineError", kind: "crashed" });
  await t.rejects(engine.run([input]), { name: "EngineError", kind: "crashed" });
  t.equal((await engine.run([input]))[0]?.data[0], 2);
});

t.test("other errors replace nothing, and a real engine runs through it", async (t) => {
  let loads = 0;
  const engine = await createRestartingEngine(
    () => {
      loads++;
      return loadOnnxruntime(tinyModelBytes());
    },
    { now: () => 0 },
  );
  await t.rejects(engine.run([createTensor("uint8", [1])]), { name: "EngineError", kind: "bad-input" });
  const info = engine.inputs[0]!;
  const good = createTensor(
    info.dtype,
    info.shape.map((size) => size ?? 1),
    undefined,
    info.layout,
  );
  t.ok((await engine.run([good])).length > 0);
  t.equal(loads, 1);
  await engine.close();
  await t.rejects(engine.run([good]), { name: "EngineError", kind: "closed" });
});
