/** Networks whose inputs and outputs are of types that no tensor on the wire has. */
import { createOnnxNetwork, EngineError, loadOnnxruntime } from "@sluice/inference";
import { createTensor, type OutputDtype } from "@sluice/tensor";
import t from "tap";
import type { elementTypes } from "#src/onnx/value-type.js";
import { castModel, constantOutputModel, emptyModel } from "./typed-models.js";

/** What comes out of a cast of 3 and 200, in each type. */
const cases: readonly (readonly [keyof typeof elementTypes, OutputDtype])[] = [
  ["bool", "uint8"],
  ["uint8", "uint8"],
  ["int16", "int16"],
  ["uint16", "uint16"],
  ["int32", "int32"],
  ["uint32", "uint32"],
  ["int64", "int64"],
  ["uint64", "uint64"],
  ["float32", "float32"],
  ["float64", "float64"],
];

t.test("outputs have the type that the network gives them, alone and in batches", async (t) => {
  for (const [type, dtype] of cases) {
    const bytes = castModel("float32", type);
    t.match(createOnnxNetwork(bytes).outputs, [{ dtype, shape: [2], batch: "dynamic" }], type);
    const engine = await loadOnnxruntime(bytes);
    t.match(engine.outputs, [{ dtype, shape: [2] }], type);
    const samples = [0, 1].map((n) => createTensor("float32", [2], Float32Array.of(3 + n, 200)));
    const answers = await engine.answer(samples);
    for (const [n, answer] of answers.entries()) {
      const values = type === "bool" ? [1, 1] : [3 + n, 200];
      t.match(answer, [{ dtype, shape: [2] }], type);
      t.same(Array.from(answer[0]!.data as ArrayLike<number | bigint>, Number), values, type);
      const [narrow] = await engine.run([samples[n]!]);
      t.same(Array.from(narrow!.data), values, `${type}, as a tensor`);
    }
    await engine.close();
  }
});

t.test("inputs are widened, and numbers that the type has not are named", async (t) => {
  for (const [type, dtype, outside] of [
    ["int16", "int32", -32_769],
    ["uint16", "int32", 65_536],
    ["uint32", "int32", -1],
    ["uint64", "int32", -1],
    ["int64", "int32", undefined],
    ["float64", "float32", undefined],
  ] as const) {
    const engine = await loadOnnxruntime(castModel(type, "float32"));
    t.match(engine.inputs, [{ dtype }], type);
    const sample = (...values: number[]) =>
      dtype === "int32"
        ? createTensor(dtype, [2], Int32Array.from(values))
        : createTensor(dtype, [2], Float32Array.from(values));
    const [output] = await engine.run([sample(3, 200)]);
    t.same(output!.data, Float32Array.of(3, 200), type);
    if (outside !== undefined) {
      const message = `input "x": ${outside} is outside the range of ${type}`;
      await t.rejects(engine.run([sample(1, outside)]), { kind: "bad-input", message }, type);
    }
    await engine.close();
  }
});

t.test("whole numbers at a cut go as int32; float64 would be rounded, and is no cut", async (t) => {
  for (const type of ["int16", "uint16", "uint32", "int64", "uint64"] as const) {
    const network = createOnnxNetwork(castModel("float32", type, "float32"));
    const { head, tail, cut } = await network.split("cast");
    t.match(cut, { dtype: "int32", shape: [2] }, type);
    const [first, second] = [await head.load(), await tail.load()];
    const [between] = await first.run([createTensor("float32", [2], Float32Array.of(3, 200))]);
    t.same((await second.run([between!]))[0]!.data, Float32Array.of(3, 200), type);
    await Promise.all([first.close(), second.close()]);
  }
  const network = createOnnxNetwork(castModel("float32", "float64", "float32"));
  t.same(await network.listCuts(), []);
  t.match(await network.listIllegalCuts(), [
    { name: "cast", reason: "elements of type float64 cannot be sent" },
  ]);
});

t.test(
  "an output that has no batch axis is whole for each sample, also where it is as long as the batch",
  async (t) => {
    const engine = await loadOnnxruntime(constantOutputModel());
    for (const count of [1, 2, 3]) {
      const samples = Array.from({ length: count }, (_, n) =>
        createTensor("float32", [2], Float32Array.of(n, 1)),
      );
      const answers = await engine.answer(samples);
      t.same(
        answers.map(([y, same]) => [
          Array.from(y!.data as Float32Array),
          Array.from(same!.data as Float32Array),
        ]),
        samples.map((_, n) => [
          [n === 0 ? -0 : -n, -1],
          [7, 8],
        ]),
        `${count} samples`,
      );
    }
    t.equal(engine.counters().failed, 0, "no batch is tried");
    await engine.close();
  },
);

t.test("an output may be empty; as a tensor to be sent it may not", async (t) => {
  const engine = await loadOnnxruntime(emptyModel());
  const input = createTensor("float32", [4], Float32Array.of(0, 0, 0, 0));
  t.match(await engine.answer([input]), [[{ dtype: "int64", shape: [2, 0] }]]);
  const error = await engine.run([input]).catch((reason: unknown) => reason);
  t.ok(error instanceof EngineError);
  t.match(error, { kind: "run-failed", message: 'output "y": is empty ([2, 0])' });
  await engine.close();
});
