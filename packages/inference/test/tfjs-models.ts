/** Networks for TensorFlow.js, made here from seeds and written as its files. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createSeededRandom } from "@sluice/inference";
import type * as Tf from "@tensorflow/tfjs";

const loaded = (await import("@tensorflow/tfjs")) as { readonly default?: typeof Tf } & typeof Tf;
export const tf: typeof Tf = loaded.default ?? loaded;
tf.enableProdMode();
await tf.setBackend("cpu");

/** Writes a model's artefacts as model.json and two shards; returns the folder. */
export async function saveArtifacts(
  artifacts: Pick<Tf.io.ModelArtifacts, "modelTopology" | "weightSpecs"> & {
    readonly weightData: ArrayBuffer;
    readonly format: string;
  },
  directory: string,
): Promise<string> {
  const { weightData, weightSpecs, ...json } = artifacts;
  const middle = 4 * Math.floor(weightData.byteLength / 8);
  await mkdir(join(directory, "weights"), { recursive: true });
  const shards = [weightData.slice(0, middle), weightData.slice(middle)];
  const paths = shards.map((_, i) => `weights/group1-shard${i + 1}of2.bin`);
  for (const [i, shard] of shards.entries())
    await writeFile(join(directory, paths[i]!), new Uint8Array(shard));
  const manifest = { ...json, weightsManifest: [{ paths, weights: weightSpecs }] };
  await writeFile(join(directory, "model.json"), JSON.stringify(manifest));
  return directory;
}

export async function saveLayers(model: Tf.LayersModel, directory: string): Promise<string> {
  let saved: Tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
  return saveArtifacts(
    { ...saved!, format: "layers-model", weightData: saved!.weightData as ArrayBuffer },
    directory,
  );
}

let seed = 1;
const initial = () => tf.initializers.glorotUniform({ seed: seed++ });
const conv = (name: string, filters: number, strides = 1) =>
  tf.layers.conv2d({
    ...{ name, filters, strides, kernelSize: 3, padding: "same", useBias: true },
    kernelInitializer: initial(),
    biasInitializer: initial(),
  });

/** A residual block, which goes around its inside. */
function residual(input: Tf.SymbolicTensor, name: string, filters: number): Tf.SymbolicTensor {
  const first = conv(`${name}_conv1`, filters).apply(input) as Tf.SymbolicTensor;
  const norm = tf.layers.batchNormalization({ name: `${name}_norm`, movingMeanInitializer: initial() });
  const active = tf.layers.reLU({ name: `${name}_relu` }).apply(norm.apply(first)) as Tf.SymbolicTensor;
  const second = conv(`${name}_conv2`, filters).apply(active) as Tf.SymbolicTensor;
  return tf.layers.add({ name: `${name}_sum` }).apply([input, second]) as Tf.SymbolicTensor;
}

/** image [12,12,3] -> stem -> block1 (residual) -> a model inside -> block2 -> pooled -> dense -> probabilities [5]. */
export function residualLayersModel(): Tf.LayersModel {
  seed = 1;
  const image = tf.input({ shape: [12, 12, 3], name: "image" });
  let x = conv("stem", 8, 2).apply(image) as Tf.SymbolicTensor;
  x = residual(x, "block1", 8);
  const inside = tf.input({ shape: [6, 6, 8], name: "inside" });
  const depthwise = tf.layers.depthwiseConv2d({
    ...{ name: "depthwise", kernelSize: 3, padding: "same" as const, depthwiseInitializer: initial() },
  });
  const y = conv("pointwise", 8).apply(depthwise.apply(inside) as Tf.SymbolicTensor) as Tf.SymbolicTensor;
  x = tf.model({ inputs: inside, outputs: y, name: "inner" }).apply(x) as Tf.SymbolicTensor;
  // The same layer twice: its weights are needed on both sides of a cut between its uses.
  const shared = conv("shared", 8);
  x = shared.apply(shared.apply(x) as Tf.SymbolicTensor) as Tf.SymbolicTensor;
  x = residual(x, "block2", 8);
  x = tf.layers.dropout({ rate: 0.5, name: "dropout" }).apply(x) as Tf.SymbolicTensor;
  x = tf.layers.globalAveragePooling2d({ name: "pooled" }).apply(x) as Tf.SymbolicTensor;
  const dense = tf.layers.dense({
    units: 5,
    activation: "softmax",
    name: "dense",
    kernelInitializer: initial(),
  });
  return tf.model({ inputs: image, outputs: dense.apply(x) as Tf.SymbolicTensor });
}

export function sequentialModel(): Tf.Sequential {
  seed = 100;
  const model = tf.sequential();
  model.add(
    tf.layers.conv2d({
      inputShape: [8, 8, 1],
      filters: 4,
      kernelSize: 3,
      name: "conv",
      kernelInitializer: initial(),
    }),
  );
  model.add(tf.layers.maxPooling2d({ poolSize: 2, name: "pool" }));
  model.add(tf.layers.flatten({ name: "flat" }));
  model.add(tf.layers.dense({ units: 3, name: "dense", kernelInitializer: initial() }));
  return model;
}

/** Time steps of which those that are all zero are masked. */
export function maskedModel(): Tf.Sequential {
  seed = 200;
  const model = tf.sequential();
  model.add(tf.layers.masking({ maskValue: 0, inputShape: [6, 4], name: "masking" }));
  model.add(
    tf.layers.lstm({
      ...{ units: 3, name: "lstm", kernelInitializer: initial(), recurrentInitializer: initial() },
    }),
  );
  model.add(tf.layers.dense({ units: 2, name: "dense", kernelInitializer: initial() }));
  return model;
}

/** Reads a sequence [5, 3] and writes one of four steps, beginning with the states that the reader ended with. */
export function encoderDecoderModel(): Tf.LayersModel {
  seed = 300;
  const cell = () => ({ units: 4, kernelInitializer: initial(), recurrentInitializer: initial() });
  const source = tf.input({ shape: [5, 3], name: "source" });
  const encoder = tf.layers.lstm({ ...cell(), name: "encoder", returnState: true });
  const [last, h, c] = encoder.apply(source) as Tf.SymbolicTensor[];
  const steps = tf.layers.repeatVector({ n: 4, name: "steps" }).apply(last!);
  const decoder = tf.layers.lstm({ ...cell(), name: "decoder", returnSequences: true });
  // In this form the states stand among the inputs, as Keras writes them.
  const decoded = decoder.apply([steps as Tf.SymbolicTensor, h!, c!]) as Tf.SymbolicTensor;
  const joined = tf.layers.bidirectional({
    layer: tf.layers.gru({ ...cell() }) as Tf.RNN,
    mergeMode: "concat",
    name: "both",
  });
  const dense = tf.layers.dense({ units: 2, name: "dense", kernelInitializer: initial() });
  return tf.model({
    inputs: source,
    outputs: dense.apply(joined.apply(decoded) as Tf.SymbolicTensor) as Tf.SymbolicTensor,
  });
}

/** A recurrent layer that goes on where the run before has ended. */
export function statefulModel(): Tf.LayersModel {
  const source = tf.input({ batchShape: [1, 5, 3], name: "source" });
  const memory = tf.layers.lstm({ units: 4, stateful: true, name: "memory" });
  return tf.model({ inputs: source, outputs: memory.apply(source) as Tf.SymbolicTensor });
}

/** Two images [8,8,2] through one tower meet, and give two outputs, one of which a model inside makes. */
export function twoInTwoOutModel(): Tf.LayersModel {
  seed = 400;
  const inputs = ["left", "right"].map((name) => tf.input({ shape: [8, 8, 2], name }));
  const inside = tf.input({ shape: [8, 8, 2], name: "inside" });
  const tower = tf.model({
    inputs: inside,
    outputs: residual(conv("lift", 4).apply(inside) as Tf.SymbolicTensor, "tower", 4),
  });
  const met = tf.layers
    .concatenate({ name: "met" })
    .apply(inputs.map((input) => tower.apply(input) as Tf.SymbolicTensor)) as Tf.SymbolicTensor;
  const after = conv("after", 3, 2).apply(met) as Tf.SymbolicTensor;
  const features = tf.input({ shape: [4, 4, 3], name: "features" });
  const head = tf.sequential({ name: "head" });
  head.add(tf.layers.globalAveragePooling2d({ inputShape: [4, 4, 3], name: "pooled" }));
  head.add(tf.layers.dense({ units: 5, name: "logits", kernelInitializer: initial() }));
  const both = tf.model({
    inputs: features,
    outputs: [head.apply(features) as Tf.SymbolicTensor, features],
    name: "both",
  });
  const outputs = both.apply(after) as Tf.SymbolicTensor[];
  return tf.model({ inputs, outputs });
}

/** picture [N,?,?,3] -> stem -> a model inside that is open as well -> pooled -> logits [N,4]. */
export function openSizesModel(): Tf.LayersModel {
  seed = 500;
  const picture = tf.input({ shape: [null, null, 3], name: "picture" });
  const inside = tf.input({ shape: [null, null, 6], name: "inside" });
  const inner = tf.model({
    inputs: inside,
    outputs: conv("within", 6).apply(inside) as Tf.SymbolicTensor,
    name: "inner",
  });
  const x = inner.apply(conv("stem", 6, 2).apply(picture) as Tf.SymbolicTensor) as Tf.SymbolicTensor;
  const pooled = tf.layers.globalAveragePooling2d({ name: "pooled" }).apply(x) as Tf.SymbolicTensor;
  const logits = tf.layers.dense({ units: 4, name: "logits", kernelInitializer: initial() }).apply(pooled);
  return tf.model({ inputs: picture, outputs: logits as Tf.SymbolicTensor });
}

type NodeDef = { name: string; op: string; input?: string[]; attr?: Record<string, unknown> };

const floats = { type: "DT_FLOAT" };
const sizes = (...dims: number[]) => ({ shape: { dim: dims.map((size) => ({ size: String(size) })) } });

/**
 * A GraphModel as the converter writes it: image [N,12,12,3] -> conv1 + bias -> relu1 -> fused conv2 -> sum (residual)
 * -> two halves of the channels (one node, two outputs) -> joined -> pooled -> product -> logits [N,5].
 */
export function residualGraphArtifacts(edit: (nodes: NodeDef[]) => void = () => {}) {
  const weights: {
    name: string;
    shape: number[];
    dtype: "float32" | "int32";
    values: Float32Array | Int32Array;
  }[] = [];
  const weight = (name: string, shape: number[]): NodeDef => {
    const random = createSeededRandom(weights.length + 1);
    const count = shape.reduce((product, size) => product * size, 1);
    weights.push({
      name,
      shape,
      dtype: "float32",
      values: Float32Array.from({ length: count }, () => random() - 0.5),
    });
    return {
      name,
      op: "Const",
      attr: { dtype: floats, value: { tensor: { dtype: "DT_FLOAT", tensorShape: sizes(...shape).shape } } },
    };
  };
  const integers = (name: string, values: number[], shape: number[]): NodeDef => {
    weights.push({ name, shape, dtype: "int32", values: Int32Array.from(values) });
    return {
      name,
      op: "Const",
      attr: {
        dtype: { type: "DT_INT32" },
        value: { tensor: { dtype: "DT_INT32", tensorShape: sizes(...shape).shape } },
      },
    };
  };
  const convAttr = {
    ...{ T: floats, strides: { list: { i: ["1", "1", "1", "1"] } }, padding: { s: "U0FNRQ==" } },
    ...{ data_format: { s: "TkhXQw==" }, dilations: { list: { i: ["1", "1", "1", "1"] } } },
  };
  const node: NodeDef[] = [
    { name: "image", op: "Placeholder", attr: { dtype: floats, shape: sizes(-1, 12, 12, 3) } },
    weight("w1", [3, 3, 3, 8]),
    weight("b1", [8]),
    weight("w2", [3, 3, 8, 8]),
    weight("b2", [8]),
    integers("axis", [3], []),
    integers("axes", [1, 2], [2]),
    weight("w3", [8, 5]),
    { name: "conv1", op: "Conv2D", input: ["image", "w1"], attr: convAttr },
    {
      name: "biased",
      op: "BiasAdd",
      input: ["conv1", "b1"],
      attr: { T: floats, data_format: { s: "TkhXQw==" } },
    },
    { name: "relu1", op: "Relu", input: ["biased"], attr: { T: floats } },
    {
      ...{ name: "conv2", op: "_FusedConv2D", input: ["relu1", "w2", "b2"] },
      attr: {
        ...convAttr,
        fused_ops: { list: { s: ["Qmlhc0FkZA==", "UmVsdQ=="] } },
        num_args: { i: "1" },
        epsilon: { f: 0 },
      },
    },
    { name: "sum", op: "AddV2", input: ["relu1", "conv2"], attr: { T: floats } },
    { name: "halves", op: "Split", input: ["axis", "sum"], attr: { T: floats, num_split: { i: "2" } } },
    {
      name: "joined",
      op: "ConcatV2",
      input: ["halves:1", "halves", "axis"],
      attr: { T: floats, N: { i: "2" } },
    },
    { name: "pooled", op: "Mean", input: ["joined", "axes"], attr: { T: floats, keep_dims: { b: false } } },
    {
      name: "logits",
      op: "MatMul",
      input: ["pooled", "w3"],
      attr: { T: floats, transpose_a: { b: false }, transpose_b: { b: false } },
    },
  ];
  edit(node);
  const bytes = weights.map(({ values }) => new Uint8Array(values.buffer));
  const weightData = new Uint8Array(bytes.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of bytes) {
    weightData.set(part, offset);
    offset += part.length;
  }
  return {
    format: "graph-model",
    modelTopology: { node, library: {}, versions: { producer: 1 } },
    weightSpecs: weights.map(({ name, shape, dtype }) => ({ name, shape, dtype })),
    weightData: weightData.buffer,
    signature: {
      inputs: { image: { name: "image:0", dtype: "DT_FLOAT", tensorShape: sizes(-1, 12, 12, 3).shape } },
      outputs: { logits: { name: "logits:0", dtype: "DT_FLOAT", tensorShape: sizes(-1, 5).shape } },
    },
  };
}
