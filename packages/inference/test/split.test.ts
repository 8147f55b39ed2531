import { createSeededRandom, createSyntheticSource, loadOnnxruntime, splitModel } from "@sluice/inference";
import { ModelError, parseModel, splitGraph } from "@sluice/inference/onnx";
import { createTensor, type Tensor } from "@sluice/tensor";
import t from "tap";
import { decodeMessage, floatValue } from "./onnx-schema.js";
import { conditionalModelBytes, tinyModelBytes } from "./tiny-model.js";

function largestDifference(a: Tensor, b: Tensor): number {
  let largest = 0;
  for (let i = 0; i < a.data.length; i++) largest = Math.max(largest, Math.abs(a.data[i]! - b.data[i]!));
  return largest;
}

async function modelErrorOf(promise: Promise<unknown>): Promise<ModelError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

const float = (dims: (number | string)[]) => ({ elementType: 1, shape: dims });

for (const graphOptimization of ["disabled", "all"] as const) {
  t.test(`the halves equal the whole with graph optimization ${graphOptimization}`, async (t) => {
    const bytes = tinyModelBytes();
    const whole = await loadOnnxruntime(bytes, { graphOptimization, threads: 1 });
    for (const name of ["relu_1", "add_1", "flat"]) {
      const split = await splitModel(bytes, name);
      const head = await loadOnnxruntime(split.head, { graphOptimization, threads: 1 });
      const tail = await loadOnnxruntime(split.tail, { graphOptimization, threads: 1 });
      for await (const { image } of createSyntheticSource([3, 8, 8], { seed: 3, count: 3 })) {
        const [expected] = await whole.run([image]);
        const [middle] = await head.run([image]);
        const [actual] = await tail.run([middle!]);
        t.same(actual!.shape, [5]);
        const difference = largestDifference(expected!, actual!);
        if (graphOptimization === "disabled") t.equal(difference, 0, `${name}: bit by bit`);
        else t.ok(difference < 1e-5, `${name}: within 1e-5 (${difference})`);
        t.ok(expected!.data.some((value) => value !== 0));
      }
      await Promise.all([head.close(), tail.close()]);
    }
    await whole.close();
  });
}

t.test("each half keeps what it needs and nothing else", async (t) => {
  const bytes = tinyModelBytes((model) => {
    model.training_info = [
      { initialization: { name: "t", node: [], initializer: [], input: [], output: [] } },
    ];
    model.functions = [{ name: "fn" }];
    model.graph.value_info = [floatValue("relu_1", ["N", 4, 8, 8]), floatValue("pooled", ["N", 4, 1, 1])];
    model.graph.quantization_annotation = [
      { tensor_name: "scaled", quant_parameter_tensor_names: [{ key: "SCALE_TENSOR", value: "scale" }] },
    ];
    model.graph.initializer.push({ name: "scale", dims: [], data_type: 1, float_data: [0.5] });
    model.graph.initializer.push({
      name: "unused",
      dims: [2],
      data_type: 1,
      data_location: 1,
      external_data: [{ key: "location", value: "weights.bin" }],
    });
  });
  const { head, tail, cut } = await splitModel(bytes, "add_1");
  t.same(
    cut,
    { name: "add_1", type: { elementType: 1, shape: ["N", 4, 8, 8] } },
    "the batch axis stays dynamic",
  );
  const whole = decodeMessage(bytes);
  const first = decodeMessage(head);
  const second = decodeMessage(tail);
  const names = (list: readonly { name?: string }[]) => list.map(({ name }) => name).sort();
  const made = (model: typeof whole) => model.graph.node.flatMap((node) => node.output).sort();
  t.same(made(first), ["add_1", "conv_1", "conv_2", "doubled", "relu_1", "two"]);
  t.same(made(second), ["conv_3", "flat", "logits", "pooled", "scaled", "two"]);
  t.same(names(first.graph.initializer), ["bias", "w1", "w2"]);
  t.same(names(second.graph.initializer), ["b4", "bias", "scale", "w2", "w4"]);
  for (const { graph } of [first, second])
    t.same(graph.value_info ?? [], [], "what is declared may be wrong");
  t.equal(first.graph.quantization_annotation?.length, 0);
  t.same(second.graph.quantization_annotation, whole.graph.quantization_annotation);
  for (const half of [first, second]) {
    t.same(half.opset_import, whole.opset_import);
    t.same(half.metadata_props, whole.metadata_props);
    t.same(half.functions, whole.functions);
    t.equal(half.unheard_of, whole.unheard_of, "unknown fields are kept");
    t.equal(half.producer_name, whole.producer_name);
    t.same(half.training_info, []);
    for (const node of half.graph.node) {
      t.same(
        node,
        whole.graph.node.find((other) => other.output[0] === node.output[0]),
        "attributes are kept",
      );
    }
  }
});

t.test("a declared type is taken without running the model", async (t) => {
  const bytes = tinyModelBytes((model) => {
    model.graph.value_info = [floatValue("add_1", ["N", 4, 8, 8])];
    // No runtime takes this.
    model.graph.node[1]!.op_type = "NoSuchOperation";
  });
  const { cut } = await splitModel(bytes, "add_1");
  t.same(cut.type.shape, ["N", 4, 8, 8]);
});

t.test("weights that are declared as inputs (before IR version 4) stay declared", (t) => {
  const bytes = tinyModelBytes((model) => {
    model.ir_version = 3;
    model.graph.input.unshift(floatValue("w1", [4, 3, 3, 3]), floatValue("w2", [4, 4, 3, 3]));
  });
  const split = splitGraph(parseModel(bytes), "add_1", new Map([["add_1", float(["N", 4, 8, 8])]]));
  const inputs = (half: Uint8Array) => decodeMessage(half).graph.input.map(({ name }) => name);
  t.same(inputs(split.head), ["input", "w1", "w2"]);
  t.same(inputs(split.tail), ["add_1", "w2"]);
  t.end();
});

t.test("a cut that a path bypasses is refused with the path", async (t) => {
  const error = await modelErrorOf(splitModel(tinyModelBytes(), "doubled"));
  t.equal(error.kind, "illegal-cut");
  t.match(error.message, /"relu_1" bypasses it \(path input -> conv_1 -> relu_1 -> add_1 -> /);
  t.match(error.message, /nearest legal cuts: "relu_1", "add_1"/);
  t.match(error.message, /with what bypasses it, it is the cut "doubled\+relu_1"/);
});

t.test("names that are no cut are refused", async (t) => {
  const bytes = tinyModelBytes();
  const cases: [string, string, RegExp][] = [
    ["ad_1", "unknown-name", /cut "ad_1": .*nearest: "add_1"/],
    ["", "unknown-name", /no tensor of that name/],
    ["input", "illegal-cut", /model's input/],
    ["logits", "illegal-cut", /model's output/],
    ["w1", "illegal-cut", /constant/],
    ["two", "illegal-cut", /does not depend on the model's input/],
    ["dead", "illegal-cut", /no output depends on it/],
  ];
  for (const [name, kind, message] of cases) {
    const error = await modelErrorOf(splitModel(bytes, name));
    t.equal(error.kind, kind, name);
    t.match(error.message, message);
  }
});

t.test("values captured by subgraphs count as inputs of their node", async (t) => {
  const error = await modelErrorOf(splitModel(conditionalModelBytes(true), "cut_here"));
  t.equal(error.kind, "illegal-cut");
  t.match(error.message, /"a" bypasses it/);

  const bytes = conditionalModelBytes(false);
  const split = await splitModel(bytes, "cut_here");
  const [whole, head, tail] = await Promise.all(
    [bytes, split.head, split.tail].map((half) => loadOnnxruntime(half)),
  );
  const random = createSeededRandom(5);
  const input = createTensor("float32", [4], Float32Array.from({ length: 4 }, random));
  const [middle] = await head!.run([input]);
  t.same(await tail!.run([middle!]), await whole!.run([input]));
  t.same(
    (await whole!.run([input]))[0]!.data,
    input.data.map((x) => -2 * x),
    "the model does what it should",
  );
  await Promise.all([whole, head, tail].map((engine) => engine!.close()));
});

t.test("graphs that make no sense are refused", (t) => {
  const refuse = (edit: Parameters<typeof tinyModelBytes>[0], message: RegExp) => {
    try {
      splitGraph(parseModel(tinyModelBytes(edit)), "add_1", new Map([["add_1", float(["N", 4, 8, 8])]]));
      t.fail("nothing was thrown");
    } catch (error) {
      t.ok(error instanceof ModelError);
      t.match(error, { kind: "invalid-graph", message });
    }
  };
  refuse((model) => {
    model.graph.node[2]!.input = ["add_1"];
  }, /cycle/);
  refuse((model) => {
    model.graph.node[3]!.output = ["conv_1"];
  }, /"conv_1": made by two nodes/);
  refuse((model) => {
    model.graph.node[3]!.output = ["input"];
  }, /"input": an input and made by a node/);
  t.throws(
    () => splitGraph(parseModel(tinyModelBytes()), "add_1"),
    /"add_1": the model does not say what type/,
  );
  t.end();
});

t.test("nodes out of order are cut as well", (t) => {
  const bytes = tinyModelBytes((model) => {
    model.graph.node.reverse();
  });
  const split = splitGraph(parseModel(bytes), "add_1", new Map([["add_1", float(["N", 4, 8, 8])]]));
  t.same(
    decodeMessage(split.head).graph.node.map((node) => node.output[0]),
    ["add_1", "doubled", "conv_2", "relu_1", "conv_1", "two"],
  );
  t.end();
});
