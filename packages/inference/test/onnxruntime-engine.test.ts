import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createSyntheticSource, EngineError, loadOnnxruntime } from "@sluice/inference";
import { createTensor, type Tensor } from "@sluice/tensor";
import t from "tap";
import { encodeMessage, floatValue } from "./onnx-schema.js";
import { tinyModelBytes } from "./tiny-model.js";

const execute = promisify(execFile);

async function engineErrorOf(promise: Promise<unknown>): Promise<EngineError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

async function samples(count: number): Promise<Tensor[]> {
  const tensors: Tensor[] = [];
  for await (const { image } of createSyntheticSource([3, 8, 8], { seed: 11, count })) tensors.push(image);
  return tensors;
}

t.test("describes the model and runs samples alone and as a batch", async (t) => {
  const engine = await loadOnnxruntime(tinyModelBytes(), { graphOptimization: "disabled", threads: 1 });
  t.same(engine.inputs, [
    { name: "input", dtype: "float32", shape: [3, 8, 8], layout: "chw", batch: "dynamic" },
  ]);
  t.same(engine.outputs, [{ name: "logits", dtype: "float32", shape: [5], layout: "any", batch: "dynamic" }]);
  const inputs = await samples(7);
  const before = inputs.map((input) => input.data.slice());
  const alone: Tensor[][] = [];
  for (const input of inputs) alone.push(await engine.run([input]));
  const together = await engine.runBatch(inputs);
  t.equal(together.length, 7);
  together.forEach(([output], n) => {
    const [expected] = alone[n]!;
    t.same(output!.shape, [5]);
    t.ok(
      output!.data.every((value, i) => Math.abs(value - expected!.data[i]!) < 1e-6),
      `sample ${n}`,
    );
  });
  t.notSame(alone[0], alone[1]);
  t.same(
    inputs.map((input) => input.data),
    before,
    "the caller keeps its tensors",
  );
  t.same(await engine.runBatch([]), []);
  t.match(engine.counters(), { pending: 0, completed: 8, failed: 0, refused: 0 });
  await engine.close();
});

t.test("an output that looks as if it had a batch axis is given as it is described", async (t) => {
  const bytes = encodeMessage({
    ir_version: 8,
    opset_import: [{ domain: "", version: 13 }],
    graph: {
      name: "steps",
      node: [{ op_type: "ReduceMax", input: ["steps"], output: ["most"] }],
      initializer: [],
      input: [floatValue("steps", [20, 4])],
      output: [floatValue("most", [1, 1])],
    },
  });
  const engine = await loadOnnxruntime(bytes, { threads: 1 });
  t.match(engine.inputs[0], { shape: [20, 4], batch: "none" });
  t.match(engine.outputs[0], { shape: [1], batch: "one" });
  const [most] = await engine.run([createTensor("float32", [20, 4], new Float32Array(80).fill(3))]);
  t.strictSame(most!.shape, [1]);
  t.strictSame(most!.data, Float32Array.of(3));
  await engine.close();
});

t.test("a model with a fixed batch axis runs its samples one after another", async (t) => {
  const bytes = tinyModelBytes((model) => {
    model.graph.input = [floatValue("input", [1, 3, 8, 8])];
    model.graph.output = [floatValue("logits", [1, 5])];
  });
  const engine = await loadOnnxruntime(bytes);
  t.equal(engine.inputs[0]?.batch, "one");
  const results = await engine.runBatch(await samples(3));
  t.same(
    results.map(([output]) => output!.shape),
    [[5], [5], [5]],
  );
  t.equal(engine.counters().completed, 3);
  await engine.close();
});

t.test(
  "a model that takes any batch but for a reshape inside runs its samples one after another",
  async (t) => {
    const bytes = tinyModelBytes((model) => {
      const flatten = model.graph.node.find(({ op_type }) => op_type === "Flatten")!;
      Object.assign(flatten, { op_type: "Reshape", input: ["pooled", "row"] });
      model.graph.initializer.push({ name: "row", dims: [2], data_type: 7, int64_data: [1, 4] });
    });
    const engine = await loadOnnxruntime(bytes, { threads: 1 });
    const inputs = await samples(3);
    const alone = [];
    for (const input of inputs) alone.push(await engine.run([input]));
    t.same(await engine.runBatch(inputs), alone);
    const { failed } = engine.counters();
    t.equal(failed, 1, "the batch");
    t.same(await engine.runBatch(inputs), alone);
    t.equal(engine.counters().failed, failed, "it is not tried again at once");
    await engine.close();
  },
);

t.test("int64 and several inputs and outputs", async (t) => {
  const integers = (name: string) => ({
    name,
    type: { tensor_type: { elem_type: 7, shape: { dim: [{ dim_param: "N" }, { dim_value: 3 }] } } },
  });
  const bytes = encodeMessage({
    ir_version: 8,
    opset_import: [{ version: 13 }],
    graph: {
      name: "integers",
      node: [
        { op_type: "Add", input: ["a", "b"], output: ["sum"] },
        { op_type: "Mul", input: ["a", "b"], output: ["product"] },
      ],
      initializer: [],
      input: [integers("a"), integers("b")],
      output: [integers("sum"), integers("product")],
    },
  });
  const engine = await loadOnnxruntime(bytes);
  const a = createTensor("int32", [3], Int32Array.of(1, -2, 3));
  const b = createTensor("int32", [3], Int32Array.of(10, 20, 1 << 30));
  const wide = await engineErrorOf(engine.run([a, b]));
  t.equal(wide.kind, "run-failed", "3 * 2^30 does not fit");
  t.match(wide.message, /output "product": 3221225472 is outside the range of int32/);
  t.same(
    engine.outputs.map(({ dtype }) => dtype),
    ["int64", "int64"],
  );
  const [sum, product] = await engine.run([a, createTensor("int32", [3], Int32Array.of(10, 20, 30))]);
  t.same(sum!.data, Int32Array.of(11, 18, 33));
  t.same(product!.data, Int32Array.of(10, -40, 90));
  await engine.close();
});

t.test("wrong inputs are named", async (t) => {
  const engine = await loadOnnxruntime(tinyModelBytes());
  const cases: [Tensor[], RegExp][] = [
    [[], /inputs: the model takes 1 tensors, got 0/],
    [
      [createTensor("float32", [3, 8, 9])],
      /input "input": has shape \[3, 8, 9\], the model takes \[3, 8, 8\]/,
    ],
    [[createTensor("uint8", [3, 8, 8])], /input "input": is uint8, the model takes float32/],
  ];
  for (const [inputs, message] of cases) {
    const error = await engineErrorOf(engine.run(inputs));
    t.equal(error.kind, "bad-input");
    t.match(error.message, message);
  }
  await engine.close();
  for (const options of [{ threads: 0 }, { threads: 1.5 }, { maxPendingRuns: 0 }]) {
    const error = await engineErrorOf(loadOnnxruntime(tinyModelBytes(), options));
    t.match(error, { kind: "bad-input", message: new RegExp(Object.keys(options)[0]!) });
  }
});

t.test("the queue is bounded and counts what it refuses", async (t) => {
  const engine = await loadOnnxruntime(tinyModelBytes(), { maxPendingRuns: 2 });
  const [input] = await samples(1);
  const runs = [1, 2, 3, 4].map(() =>
    engine.run([input!]).then(
      () => "done",
      (error: EngineError) => error.kind,
    ),
  );
  t.same(await Promise.all(runs), ["done", "done", "queue-full", "queue-full"]);
  t.match(engine.counters(), { pending: 0, completed: 2, refused: 2 });
  await engine.run([input!]);
  await engine.close();
});

t.test("closing rejects what is under way and what comes later", async (t) => {
  const engine = await loadOnnxruntime(tinyModelBytes());
  const [input] = await samples(1);
  const runs = [1, 2, 3].map(() => engineErrorOf(engine.run([input!])));
  await Promise.all([engine.close(), engine.close()]);
  for (const error of await Promise.all(runs)) t.equal(error.kind, "closed");
  t.equal((await engineErrorOf(engine.run([input!]))).kind, "closed");
  await engine.close();
});

t.test("a crash of the worker rejects the runs and is remembered", async (t) => {
  const workerUrl = new URL("./crashing-worker.js", import.meta.url);
  const engine = await loadOnnxruntime(tinyModelBytes(), { workerUrl });
  const input = createTensor("float32", [2]);
  const errors = await Promise.all([engineErrorOf(engine.run([input])), engineErrorOf(engine.run([input]))]);
  for (const error of [...errors, await engineErrorOf(engine.run([input]))]) {
    t.match(error, { kind: "crashed", message: /out of luck/ });
  }
  t.match(engine.counters(), { pending: 0, failed: 2 });
  await engine.close();
});

t.test("what cannot be loaded says why", async (t) => {
  const missing = await engineErrorOf(loadOnnxruntime(tinyModelBytes(), { runtime: "no-such-runtime" }));
  t.match(missing, { kind: "not-available", message: /no-such-runtime does not load on/ });
  const noise = await engineErrorOf(loadOnnxruntime(Uint8Array.of(1, 2, 3)));
  t.equal(noise.kind, "load-failed");
  const unknown = tinyModelBytes((model) => {
    model.graph.node[1]!.op_type = "NoSuchOperation";
  });
  t.match(await engineErrorOf(loadOnnxruntime(unknown)), { kind: "load-failed", message: /NoSuchOperation/ });
  const url = new URL("./no-such-worker.js", import.meta.url);
  t.equal((await engineErrorOf(loadOnnxruntime(tinyModelBytes(), { workerUrl: url }))).kind, "crashed");
});

for (const mode of ["close", "leave"]) {
  t.test(`a process with an idle engine ends by itself (${mode})`, async (t) => {
    const script = fileURLToPath(new URL("./engine-process.js", import.meta.url));
    const { stdout } = await execute(process.execPath, [script, mode], { timeout: 60_000 });
    t.equal(stdout.trim(), "5");
  });
}
