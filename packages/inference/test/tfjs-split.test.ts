import { join } from "node:path";
import {
  bundledNetwork,
  type Cut,
  createSyntheticSource,
  loadModel,
  ModelError,
  type Network,
  openTfjsNetwork,
} from "@sluice/inference";
import { createTensor, packTensors, type Tensor } from "@sluice/tensor";
import type * as Tf from "@tensorflow/tfjs";
import t, { type Test } from "tap";
import { readArtifacts } from "#src/tfjs/artifacts.js";
import { openGraph } from "#src/tfjs/graph-in-memory.js";
import { openLayers } from "#src/tfjs/layers-in-memory.js";
import type { TfjsPart } from "#src/tfjs/messages.js";
import {
  encoderDecoderModel,
  maskedModel,
  openSizesModel,
  residualGraphArtifacts,
  residualLayersModel,
  saveArtifacts,
  saveLayers,
  sequentialModel,
  statefulModel,
  tf,
  twoInTwoOutModel,
} from "./tfjs-models.js";

async function images(shape: number[], count = 2): Promise<Tensor[]> {
  const tensors: Tensor[] = [];
  for await (const { image } of createSyntheticSource(shape, { seed: 17, count })) {
    tensors.push({ ...image, layout: "hwc" });
  }
  return tensors;
}

/** What TensorFlow.js itself makes of each image. */
function predict(model: { predict(x: Tf.Tensor): unknown }, inputs: readonly Tensor[]): Float32Array[] {
  return inputs.map(
    ({ data, shape }) =>
      (model.predict(tf.tensor(data as Float32Array, [1, ...shape])) as Tf.Tensor).dataSync() as Float32Array,
  );
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));
}

/** At every legal cut the halves give what the whole gives, bit by bit, for two samples at once. */
async function checkAllCuts(t: Test, directory: string, inputs: readonly Tensor[]): Promise<Cut[]> {
  const path = join(directory, "model.json");
  const artifacts = await readArtifacts(path);
  const open = artifacts.format === "tfjs-graph" ? openGraph : openLayers;
  const description = await (await open(tf, artifacts)).describe();
  const { inputs: given, outputs } = description;
  const batch = tf.tensor(
    inputs.flatMap(({ data }) => Array.from(data)),
    [inputs.length, ...inputs[0]!.shape],
  );
  const run = async (part: TfjsPart, x: Tf.Tensor) => (await (await open(tf, artifacts)).take(part)([x]))[0]!;
  const whole = await run({ inputs: given, outputs }, batch);
  const cuts = await (await openTfjsNetwork(path)).listCuts();
  for (const { name, shape } of cuts) {
    const { type } = description.types.get(name)!;
    const value = { name, type, shape: ["batch", ...shape] };
    const middle = await run({ inputs: given, outputs: [value] }, batch);
    t.same(middle.shape, [inputs.length, ...shape], `${name} has the shape that was told`);
    const output = await run({ inputs: [value], outputs }, middle);
    t.same(output.dataSync(), whole.dataSync(), `${name}: bit by bit`);
  }
  return cuts;
}

/** Halves in threads of their own give what the whole gives there, and nearly what TensorFlow.js gives here. */
async function checkInThreads(
  t: Test,
  network: Network,
  cut: string,
  inputs: readonly Tensor[],
  expected: readonly Float32Array[],
): Promise<void> {
  const { head, tail } = await network.split(cut);
  const engines = await Promise.all([network, head, tail].map((part) => part.load()));
  const [whole, first, second] = engines;
  const wholes = await whole!.runBatch(inputs);
  const middle = (await first!.runBatch(inputs)).map(([tensor]) => tensor!);
  const outputs = await second!.runBatch(middle);
  for (const [i, [output]] of outputs.entries()) {
    t.same(output!.data, wholes[i]![0]!.data, `${cut}: sample ${i} bit by bit`);
    const difference = largestDifference(output!.data, expected[i]!);
    t.ok(difference < 1e-5, `sample ${i} is what TensorFlow.js itself gives (${difference})`);
  }
  await Promise.all(engines.map((engine) => engine.close()));
}

t.test("a LayersModel with a model inside and a layer used twice", async (t) => {
  const model = residualLayersModel();
  const directory = await saveLayers(model, t.testdir());
  const log: string[] = [];
  const { network, input } = await loadModel(directory, { onLog: (line) => log.push(line) });
  t.match(log, [
    /^tfjs 4\.\d+\.\d+: backend wasm \(@tensorflow\/tfjs-node-gpu is not installed; @tensorflow\/tfjs-node is/,
  ]);
  t.same(input, { name: "image", dtype: "float32", shape: [12, 12, 3], layout: "hwc", batch: "dynamic" });
  const inputs = await images([12, 12, 3]);
  await checkInThreads(t, network, "inner/depthwise", inputs, predict(model, inputs));
  const cuts = await checkAllCuts(t, directory, inputs);
  t.same(
    cuts.map(({ name }) => name),
    [
      "stem",
      "block1_sum",
      "inner/depthwise",
      "inner/pointwise",
      "shared",
      "shared#2",
      "block2_sum",
      "dropout",
      "pooled",
    ],
  );
  const stem = 36 * 27 * 8;
  const block = 2 * 36 * 72 * 8;
  const inner = 36 * 9 * 8 + 36 * 72 * 8;
  const shared = 2 * 36 * 72 * 8;
  const all = stem + 2 * block + inner + shared + 40;
  t.match(cuts[1], { operation: "Add", shape: [6, 6, 8], layout: "hwc", elements: 288, bytes: 1152 });
  t.equal(cuts[1]!.multiplyAdds, stem + block);
  t.equal(cuts[3]!.workShare, (stem + block + inner) / all);

  const illegal = await network.listIllegalCuts();
  t.same(
    illegal.map(({ name }) => name),
    ["block1", "block2"].flatMap((block) =>
      ["conv1", "norm", "relu", "conv2"].map((name) => `${block}_${name}`),
    ),
  );
  t.match(illegal[0], {
    operation: "Conv2D",
    reason: /^"stem" bypasses it \(path image -> stem -> block1_sum -> /,
  });
  await t.rejects(network.split("block1_relu"), {
    kind: "illegal-cut",
    message: /"stem" bypasses it .* nearest legal cuts: "stem", "block1_sum"/,
  });
  await t.rejects(network.split("steem"), { kind: "unknown-name", message: /nearest: "stem"/ });
});

t.test("a half can be cut again", async (t) => {
  const network = await openTfjsNetwork(`${await saveLayers(residualLayersModel(), t.testdir())}/model.json`);
  const { head, tail } = await network.split("shared");
  t.same(
    (await head.listCuts()).map(({ name }) => name),
    ["stem", "block1_sum", "inner/depthwise", "inner/pointwise"],
  );
  const again = await tail.split("block2_sum");
  const engines = await Promise.all([network, head, again.head, again.tail].map((part) => part.load()));
  const [image] = await images([12, 12, 3], 1);
  let value = [image!];
  for (const engine of engines.slice(1)) value = await engine.run(value);
  t.same(value, await engines[0]!.run([image!]));
  await Promise.all(engines.map((engine) => engine.close()));
});

t.test("a Sequential model", async (t) => {
  const model = sequentialModel();
  const directory = await saveLayers(model, t.testdir());
  const network = await openTfjsNetwork(join(directory, "model.json"));
  const inputs = await images([8, 8, 1]);
  await checkInThreads(t, network, "pool", inputs, predict(model, inputs));
  const cuts = await checkAllCuts(t, directory, inputs);
  t.same(
    cuts.map(({ name }) => name),
    ["conv", "pool", "flat"],
  );
});

t.test("a mask of time steps cannot be sent", async (t) => {
  const network = await openTfjsNetwork(`${await saveLayers(maskedModel(), t.testdir())}/model.json`);
  t.same(
    (await network.listCuts()).map(({ name }) => name),
    ["lstm"],
  );
  t.match(await network.listIllegalCuts(), [{ name: "masking", reason: /a mask of time steps goes along/ }]);
  await t.rejects(network.split("masking"), /"masking": a mask/);
});

t.test("a sequence that is decoded from the states of its reader", async (t) => {
  const model = encoderDecoderModel();
  const directory = await saveLayers(model, t.testdir());
  const inputs = (await images([1, 5, 3])).map(({ data }) =>
    createTensor("float32", [5, 3], data as Float32Array),
  );
  const network = await openTfjsNetwork(`${directory}/model.json`);
  // `predict` lets go of the reader's output too early, which is one of its states as well: layer by layer instead.
  const apply = (name: string, x: Tf.Tensor | Tf.Tensor[]) => model.getLayer(name).apply(x) as Tf.Tensor;
  const decode = (x: Tf.Tensor) => {
    const [last, h, c] = model.getLayer("encoder").apply(x) as Tf.Tensor[];
    return apply("dense", apply("both", apply("decoder", [apply("steps", last!), h!, c!])));
  };
  const expected = predict({ predict: decode }, inputs);
  await checkInThreads(t, network, "decoder", inputs, expected);
  const cuts = await checkAllCuts(t, directory, inputs);
  t.same(
    cuts.map(({ name }) => name),
    ["decoder", "both"],
  );
  t.match(await network.listIllegalCuts(), [
    { name: "encoder", reason: /bypasses it/ },
    { name: "encoder:1" },
    { name: "encoder:2" },
    { name: "steps" },
  ]);
});

t.test("a layer that remembers frames is refused, and named", async (t) => {
  await t.rejects(openTfjsNetwork(`${await saveLayers(statefulModel(), t.testdir())}/model.json`), {
    kind: "load-failed",
    message: /layer "memory" is stateful/,
  });
});

t.test("two inputs through one tower, and two outputs, cut where they have met", async (t) => {
  const model = twoInTwoOutModel();
  const network = await openTfjsNetwork(`${await saveLayers(model, t.testdir())}/model.json`);
  const inputs = await images([8, 8, 2]);
  const expected = (
    model.predict(
      inputs.map(({ data, shape }) => tf.tensor(data as Float32Array, [1, ...shape])),
    ) as Tf.Tensor[]
  ).map((tensor) => tensor.dataSync());
  const whole = await network.load();
  const outputs = await whole.run(inputs);
  const cuts = await network.listCuts();
  const names = cuts.map(({ name }) => name);
  t.ok(names.length > 5, "several tensors cross before they have met");
  // What comes after is an output itself.
  t.equal(names.at(-1), "met");
  const { crossing } = cuts[0]!;
  t.same(
    crossing?.map(({ name }) => name),
    [cuts[0]!.name, "right"],
    "the second image enters behind the first cut",
  );
  await checkBundles(t, network, inputs, outputs);
  const { head, tail } = await network.split("met");
  const engines = await Promise.all([head.load(), tail.load()]);
  const halves = await engines[1]!.run(await engines[0]!.run(inputs));
  t.equal(halves.length, 2);
  for (const [i, { data }] of halves.entries()) {
    t.ok(largestDifference(data, expected[i]!) < 1e-5, `output ${i} is what TensorFlow.js gives`);
  }
  await Promise.all([...engines, whole].map((engine) => engine.close()));
});

/** The halves of a network with several inputs, which take and give bundles, make what the whole makes, bit by bit. */
async function checkBundles(
  t: Test,
  network: Network,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
): Promise<void> {
  const cuts = await network.listCuts();
  // Each takes seconds: at the beginning, in the middle and at the end.
  for (const { name } of [cuts[0]!, cuts[cuts.length >> 1]!, cuts.at(-1)!]) {
    const { head, tail } = await bundledNetwork(network).split(name);
    const engines = await Promise.all([head.load(), tail.load()]);
    t.same(
      await engines[1]!.run(await engines[0]!.run([packTensors(inputs)])),
      outputs,
      `${name}: bit by bit`,
    );
    await Promise.all(engines.map((engine) => engine.close()));
  }
}

t.test("a GraphModel with two inputs, the second of which enters behind most cuts", async (t) => {
  const artifacts = residualGraphArtifacts((nodes) => {
    const shape = { shape: { dim: [-1, 12, 12, 8].map((size) => ({ size: String(size) })) } };
    nodes.unshift({ name: "more", op: "Placeholder", attr: { dtype: { type: "DT_FLOAT" }, shape } });
    nodes.find(({ name }) => name === "sum")!.input = ["conv2", "more"];
  });
  const { tensorShape } = artifacts.signature.inputs.image;
  const dim = [...tensorShape.dim.slice(0, 3), { size: "8" }];
  Object.assign(artifacts.signature.inputs, {
    more: { name: "more:0", dtype: "DT_FLOAT", tensorShape: { dim } },
  });
  const path = join(await saveArtifacts(artifacts, t.testdir()), "model.json");
  const network = await openTfjsNetwork(path);
  const [image] = await images([12, 12, 3], 1);
  const [more] = await images([12, 12, 8], 1);
  const byName = new Map([
    ["image", image!],
    ["more", more!],
  ]);
  const inputs = network.inputs.map(({ name }) => byName.get(name)!);
  const cuts = await network.listCuts();
  t.same(
    cuts.map(({ name }) => name),
    ["conv1", "biased", "relu1", "conv2", "sum", "joined", "pooled"],
  );
  t.match(await network.listIllegalCuts(), [
    { name: "halves+halves:1", reason: /^two outputs of one operation cross there/ },
  ]);
  await t.rejects(network.split("halves:1+halves"), {
    ...{ kind: "unsupported", message: /two outputs of one operation/ },
  });
  const whole = await network.load();
  await checkBundles(t, network, inputs, await whole.run(inputs));
  await whole.close();
});

t.test("a GraphModel with a residual sum and a node with two outputs", async (t) => {
  const artifacts = residualGraphArtifacts();
  const directory = await saveArtifacts(artifacts, t.testdir());
  const { network } = await loadModel(directory);
  t.equal(network.format, "tfjs-graph");
  t.same(network.outputs, [
    { name: "logits", dtype: "float32", shape: [5], layout: "any", batch: "dynamic" },
  ]);
  const model = await tf.loadGraphModel(
    tf.io.fromMemory(artifacts as Parameters<typeof tf.io.fromMemory>[0]),
  );
  const inputs = await images([12, 12, 3]);
  await checkInThreads(t, network, "joined", inputs, predict(model, inputs));
  const cuts = await checkAllCuts(t, directory, inputs);
  t.same(
    cuts.map(({ name }) => name),
    ["conv1", "biased", "relu1", "sum", "joined", "pooled"],
  );
  const [first, second] = [144 * 27 * 8, 144 * 72 * 8];
  t.equal(cuts.find(({ name }) => name === "sum")?.workShare, (first + second) / (first + second + 40));
  t.match(await network.listIllegalCuts(), [
    { name: "conv2", reason: /"relu1" bypasses it/ },
    { name: "halves", reason: /"halves:1"|"sum" bypasses it/ },
    { name: "halves:1" },
  ]);
  await t.rejects(network.split("w1"), { kind: "illegal-cut", message: /is a constant/ });
  const error = await network.split("conv2").catch((cause: unknown) => cause);
  t.ok(error instanceof ModelError);
});

t.test("open sizes of a LayersModel are said behind its path", async (t) => {
  const model = openSizesModel();
  const directory = await saveLayers(model, t.testdir());
  const open = (await loadModel(directory)).network;
  t.same(
    (await open.listCuts()).map(({ name }) => name),
    ["pooled"],
    "the others' sizes are open",
  );
  for (const sizes of ["12x10x3", "picture.1=12,picture.2=10"]) {
    const { network, input } = await loadModel(`${directory}:${sizes}`);
    t.match(input, { shape: [12, 10, 3], batch: "dynamic" });
    t.same(
      (await network.listCuts()).map(({ name, shape }) => [name, shape]),
      [
        ["stem", [6, 5, 6]],
        ["inner/within", [6, 5, 6]],
        ["pooled", [6]],
      ],
    );
    const inputs = await images([12, 10, 3]);
    await checkInThreads(t, network, "inner/within", inputs, predict(model, inputs));
  }
  await t.rejects(loadModel(`${directory}/model.json:12x10x4`), {
    message: 'sizes of input "picture": is [batch, ?, ?, 3], which [12, 10, 4] is no case of',
  });
  await t.rejects(loadModel(`${directory}:rows=12`), {
    message: 'sizes: no input has an open axis "rows"; there are: "batch", "picture.1", "picture.2"',
  });
});

t.test("open sizes of a GraphModel are said behind its path, and asked for where they are not", async (t) => {
  const artifacts = residualGraphArtifacts((nodes) => {
    const image = nodes.find(({ name }) => name === "image")!;
    const dim = [-1, -1, -1, 3].map((size) => ({ size: String(size) }));
    image.attr = { ...image.attr, shape: { shape: { dim } } };
  });
  const root = t.testdir();
  const directory = await saveArtifacts(artifacts, join(root, "open"));
  await t.rejects(loadModel(directory), {
    message: /input "image": the size of axis 1 is open; .*, as in model.onnx:224x224x3/,
  });
  const { network } = await loadModel(`${directory}:12x12x3`);
  const same = (await loadModel(await saveArtifacts(residualGraphArtifacts(), join(root, "fixed")))).network;
  t.same(await network.listCuts(), await same.listCuts());
});
