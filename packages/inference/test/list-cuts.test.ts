import {
  createOnnxNetwork,
  createSeededRandom,
  listCuts,
  listIllegalCuts,
  splitModel,
} from "@sluice/inference";
import { analyseDataFlow, checkCut, findCuts, ModelError, parseModel } from "@sluice/inference/onnx";
import t from "tap";
import { findIllegalCuts } from "#src/graph/check-cut.js";
import { encodeMessage, floatValue, type NodeMessage } from "./onnx-schema.js";
import { conditionalModelBytes, tinyModelBytes } from "./tiny-model.js";

t.test("all legal cuts with their sizes and shares of the work", async (t) => {
  const cuts = await listCuts(tinyModelBytes());
  t.same(
    cuts.map(({ name }) => name),
    ["conv_1", "relu_1", "add_1", "conv_3", "scaled", "pooled", "flat"],
  );
  const add = cuts.find(({ name }) => name === "add_1");
  // 8x8x4 outputs of 3x3x3 and 3x3x4 weights; the third convolution and the 4x5 product come after.
  const [first, others, last] = [256 * 27, 256 * 36, 20];
  t.same(add, {
    name: "add_1",
    operation: "Add",
    dtype: "float32",
    shape: [4, 8, 8],
    layout: "chw",
    elements: 256,
    bytes: 1024,
    nodeShare: 5 / 10,
    workShare: (first + others) / (first + 2 * others + last),
    multiplyAdds: first + others,
  });
  t.equal(cuts.at(-1)?.layout, "any");
  t.same(cuts.at(-1)?.shape, [4]);
});

t.test("what is no cut says which path goes around it, or why it cannot be sent", async (t) => {
  const illegal = await listIllegalCuts(tinyModelBytes());
  t.same(
    illegal.map(({ name }) => name),
    ["dead", "conv_2", "doubled"],
  );
  t.match(illegal[0], { operation: "Neg", reason: "no output depends on it", bypass: [] });
  t.match(illegal[2], {
    operation: "Mul",
    reason: /^"relu_1" bypasses it \(path input -> conv_1 -> relu_1 -> add_1 -> /,
    bypass: ["input", "conv_1", "relu_1", "add_1", "conv_3", "scaled", "pooled", "flat", "logits"],
  });
});

t.test("declared shapes are taken where the model does not run", async (t) => {
  const measured = await listCuts(tinyModelBytes());
  const bytes = tinyModelBytes((model) => {
    model.graph.value_info = measured.map(({ name, shape }) => floatValue(name, ["N", ...shape]));
    model.graph.value_info.push(floatValue("conv_2", ["N", 4, 8, 8]));
    // No runtime takes this.
    model.graph.node[2]!.op_type = "Unheard";
  });
  const unsure = tinyModelBytes((model) => {
    model.graph.value_info = [floatValue("flat", ["merged", 4]), floatValue("add_1", ["N", 4, 8, "width"])];
  });
  t.same(await listCuts(unsure), measured, "other names of axes are not trusted");
  const declared = await listCuts(bytes);
  t.same(
    declared,
    measured.map((cut) => (cut.operation === "Relu" ? { ...cut, operation: "Unheard" } : cut)),
  );
});

t.test("what a model declares wrong is measured, and told", async (t) => {
  const bytes = tinyModelBytes((model) => {
    model.graph.value_info = [floatValue("add_1", ["N", 4, 9, 9]), floatValue("flat", ["N", 4, 1])];
    model.graph.output = [{ name: "logits" }];
  });
  const network = createOnnxNetwork(bytes);
  const before = await network.split("add_1");
  t.same(before.cut.shape, [4, 8, 8], "measured for the cut alone");
  const declared = (await network.listCuts()).flatMap((cut) =>
    cut.declared === undefined ? [] : [[cut.name, cut.shape, cut.declared]],
  );
  t.same(declared, [
    ["add_1", [4, 8, 8], "float32 4x9x9"],
    ["flat", [4], "float32 4x1"],
  ]);
  t.same((await network.split("add_1")).cut, before.cut, "known from the list");
  t.throws(() => network.outputs, /value "logits": is no tensor, or the model does not say what it is/);
  t.match(await network.measureOutputs(), [{ name: "logits", dtype: "float32", shape: [5] }]);
});

t.test("captures of subgraphs keep values alive", (t) => {
  const names = (bytes: Uint8Array) =>
    findCuts(analyseDataFlow(parseModel(bytes).graph)).cuts.map(({ name }) => name);
  t.same(names(conditionalModelBytes(false)), ["a", "cut_here"]);
  t.same(names(conditionalModelBytes(true)), ["a"]);
  t.end();
});

t.test("values whose first axis is not the batch's are no cuts", async (t) => {
  const turn = (input: string, output: string): NodeMessage => ({
    op_type: "Transpose",
    input: [input],
    output: [output],
    attribute: [{ name: "perm", type: 7, ints: [1, 0] }],
  });
  const bytes = encodeMessage({
    ir_version: 8,
    opset_import: [{ version: 13 }],
    graph: {
      name: "turning",
      node: [
        { op_type: "Relu", input: ["input"], output: ["a"] },
        turn("a", "turned"),
        { op_type: "Neg", input: ["turned"], output: ["negative"] },
        turn("negative", "b"),
        { op_type: "Reshape", input: ["b", "flat"], output: ["merged"] },
        { op_type: "Reshape", input: ["merged", "rows"], output: ["out"] },
      ],
      initializer: [
        { name: "flat", dims: [2], data_type: 7, int64_data: [-1, 2] },
        { name: "rows", dims: [2], data_type: 7, int64_data: [-1, 4] },
      ],
      input: [floatValue("input", ["N", 4])],
      output: [floatValue("out", ["N", 4])],
    },
  });
  t.same(
    (await listCuts(bytes)).map(({ name }) => name),
    ["a", "b"],
  );
  t.same(
    (await listIllegalCuts(bytes)).map(({ name, reason }) => [name, reason]),
    ["turned", "negative", "merged"].map((name) => [name, "its first axis is not the batch axis"]),
  );
  await t.rejects(splitModel(bytes, "turned"), /cut "turned": its first axis is not the batch axis/);
  await t.rejects(splitModel(bytes, "merged"), /cut "merged": its first axis is not the batch axis/);
});

/** A graph without sense: each node takes one to three of the values made before it, mostly the last ones. */
function randomGraph(seed: number): Uint8Array {
  const random = createSeededRandom(seed);
  const values = ["input", "constant"];
  const node: NodeMessage[] = [];
  const count = 3 + Math.floor(random() * 12);
  for (let i = 0; i < count; i++) {
    const pick = () => values[Math.floor(values.length * (1 - random() ** 2 * 0.999)) - 1] ?? values.at(-1)!;
    const input = Array.from({ length: 1 + Math.floor(random() * 2.3) }, pick);
    node.push({ op_type: "Sum", input, output: [`v${i}`] });
    values.push(`v${i}`);
  }
  // Nodes may stand in any order.
  if (random() < 0.3) node.reverse();
  return encodeMessage({
    ir_version: 8,
    opset_import: [{ version: 13 }],
    graph: {
      name: "random",
      node,
      initializer: [{ name: "constant", dims: [1], data_type: 1, float_data: [1] }],
      input: [floatValue("input", ["N", 1])],
      output: [floatValue(values.at(-1)!, ["N", 1])],
    },
  });
}

t.test("the sweep finds exactly the cuts that a check of each value allows", (t) => {
  let found = 0;
  for (let seed = 1; seed <= 500; seed++) {
    const { graph } = parseModel(randomGraph(seed));
    const swept = findCuts(analyseDataFlow(graph)).cuts.map(({ name }) => name);
    const checked = graph.nodes
      .flatMap((node) => node.outputs)
      .filter((name) => {
        try {
          checkCut(graph, name);
          return true;
        } catch (error) {
          if (error instanceof ModelError && error.kind === "illegal-cut") return false;
          throw error;
        }
      });
    t.same([...swept].sort(), checked.sort(), `seed ${seed}`);
    found += swept.length;
  }
  t.ok(found > 300, `${found} cuts in 500 graphs`);
  t.end();
});

t.test("the path that is told goes from an input to an output, around the value", (t) => {
  let found = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const { graph } = parseModel(randomGraph(seed));
    for (const { name, bypass } of findIllegalCuts(analyseDataFlow(graph))) {
      if (bypass.length === 0) continue;
      found++;
      const wrong = bypass.slice(1).filter((value, i) => {
        const maker = graph.nodes.find(({ outputs }) => outputs.includes(value));
        return !maker?.inputs.includes(bypass[i]!);
      });
      t.same(
        [wrong, bypass[0], bypass.at(-1)],
        [[], "input", graph.outputs[0]!.name],
        `seed ${seed}, ${name}`,
      );
      t.notOk(bypass.includes(name));
    }
  }
  t.ok(found > 200, `${found} paths in 200 graphs`);
  t.end();
});

/** input [1,4] -> relu -> what the nodes make of it -> out. */
function chainBytes(nodes: NodeMessage[]): Uint8Array {
  return encodeMessage({
    ir_version: 8,
    opset_import: [{ version: 13 }],
    graph: {
      name: "chain",
      node: [{ op_type: "Relu", input: ["input"], output: ["relu"] }, ...nodes],
      initializer: [{ name: "often", dims: [2], data_type: 7, int64_data: [1, 4_194_305] }],
      input: [floatValue("input", [1, 4])],
      output: [floatValue("out", [1, "n"])],
    },
  });
}

const cast = (input: string, output: string, to: number): NodeMessage => ({
  ...{ op_type: "Cast", input: [input], output: [output] },
  attribute: [{ name: "to", type: 2, i: to }],
});

const reshape = (input: string, output: string, shape: number[]): NodeMessage[] => [
  {
    ...{ op_type: "Constant", input: [], output: [`${output} sizes`] },
    attribute: [{ name: "value", type: 4, t: { dims: [shape.length], data_type: 7, int64_data: shape } }],
  },
  { op_type: "Reshape", input: [input, `${output} sizes`], output: [output] },
];

const unsendable: [string, Uint8Array, string, string][] = [
  [
    "of a type that Sluice has not",
    chainBytes([cast("relu", "inner", 11), cast("inner", "out", 1)]),
    "inner",
    "elements of type float64 cannot be sent",
  ],
  [
    "of a type that no dtype is near to",
    chainBytes([cast("relu", "inner", 16), cast("inner", "out", 1)]),
    "inner",
    "elements of type bfloat16 cannot be sent",
  ],
  [
    "of more axes than are sent",
    chainBytes([
      ...reshape("relu", "inner", [1, 1, 1, 1, 1, 1, 1, 1, 2, 2]),
      ...reshape("inner", "out", [1, 4]),
    ]),
    "inner",
    "has 9 axes, at most 8 can be sent",
  ],
  [
    "of more elements than are sent",
    chainBytes([
      { op_type: "Tile", input: ["relu", "often"], output: ["inner"] },
      { op_type: "ReduceMax", input: ["inner"], output: ["out"] },
    ]),
    "inner",
    "has 16777220 elements, at most 16777216 can be sent",
  ],
  [
    "that is no tensor",
    chainBytes([
      { op_type: "SequenceConstruct", input: ["relu", "relu"], output: ["inner"] },
      {
        ...{ op_type: "ConcatFromSequence", input: ["inner"], output: ["out"] },
        attribute: [{ name: "axis", type: 2, i: 1 }],
      },
    ]),
    "inner",
    "is not a tensor",
  ],
  [
    "whose size depends on the values",
    chainBytes([{ op_type: "NonZero", input: ["relu"], output: ["inner"] }, cast("inner", "out", 1)]),
    "inner",
    "is empty for an input of zeros: its size depends on the input's values",
  ],
];

for (const [what, bytes, name, reason] of unsendable) {
  t.test(`a value ${what} is no cut, and the others still are`, async (t) => {
    t.same(
      (await listCuts(bytes)).map((cut) => cut.name),
      ["relu"],
    );
    t.match(await listIllegalCuts(bytes), [{ name, reason }]);
    await t.rejects(splitModel(bytes, name), { message: `cut "${name}": ${reason}` });
  });
}
