import { loadOnnxruntime, mixesSamples } from "@sluice/inference";
import t from "tap";
import { encodeMessage, floatValue, type NodeMessage } from "./onnx-schema.js";
import { tinyModelBytes } from "./tiny-model.js";
import { castModel } from "./typed-models.js";

function chain(nodes: NodeMessage[]): Uint8Array {
  return encodeMessage({
    ir_version: 8,
    opset_import: [{ version: 13 }],
    graph: {
      ...{ name: "chain", node: nodes },
      initializer: [{ name: "zero", dims: [], data_type: 7, int64_data: [0] }],
      input: [floatValue("x", ["N", 1, 4])],
      output: [floatValue("y", ["N", 1, 4])],
    },
  });
}

for (const [what, bytes, expected] of [
  ["an ordinary network", tinyModelBytes(), false],
  ["one of whole numbers", castModel("int64", "int32"), false],
  [
    "one that sums over the time, its first axis",
    chain([{ op_type: "CumSum", input: ["x", "zero"], output: ["y"] }]),
    true,
  ],
  [
    "one that centres its batch",
    chain([
      {
        op_type: "ReduceMean",
        input: ["x"],
        output: ["mean"],
        attribute: [{ name: "axes", type: 7, ints: [0] }],
      },
      { op_type: "Sub", input: ["x", "mean"], output: ["y"] },
    ]),
    true,
  ],
] as const) {
  t.test(`${what} ${expected ? "mixes" : "does not mix"} the samples of a batch`, async (t) => {
    const engine = await loadOnnxruntime(bytes);
    t.equal(await mixesSamples(engine), expected);
    await engine.close();
  });
}

t.test("a network that does not run on noise is not said to", async (t) => {
  const engine = await loadOnnxruntime(tinyModelBytes());
  const broken = { ...engine, answer: () => Promise.reject(new Error("no such word")) };
  t.equal(await mixesSamples(broken), false);
  await engine.close();
});
