import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fashionDirectory, loadModel } from "@sluice/inference";
import t from "tap";
import { ExitCode } from "#cli/exit-codes.js";
import { parseModelEntry } from "#cli/model-entry.js";
import { findModels, openServedModels } from "#cli/served-models.js";
import { loadServedHalf } from "#cli/served-network.js";
import { batchMixingModel, openSizeModel, tinyModelBytes, twoInputModel } from "./tiny-models.js";

t.test("a model may be given a name and a version", async (t) => {
  for (const [text, name, version, reference] of [
    ["fashion", undefined, "", "fashion"],
    ["models/a.onnx", undefined, "", "models/a.onnx"],
    ["faces=a.onnx", "faces", "", "a.onnx"],
    ["faces@2=dir/a=b.onnx", "faces", "2", "dir/a=b.onnx"],
    ["faces@v1.2-rc=sink", "faces", "v1.2-rc", "sink"],
    ["a.onnx:seq=128,rows=3", undefined, "", "a.onnx:seq=128,rows=3"],
    ["words@2=a.onnx:seq=128", "words", "2", "a.onnx:seq=128"],
    ["words@2=folder:x.1=128", "words", "2", "folder:x.1=128"],
    ["folder:x.1=128", undefined, "", "folder:x.1=128"],
    ["./a@2=b.onnx", undefined, "", "./a@2=b.onnx"],
  ] as const) {
    t.same(parseModelEntry(text), { name, version, reference, labelsPath: undefined }, text);
  }
  t.throws(() => parseModelEntry(""), { message: /--model/ });
});

t.test("two models of one name are a mistake of the command line", async (t) => {
  const entries = ["a=fashion", "a=fashion"].map(parseModelEntry);
  await t.rejects(openServedModels(entries, { threads: 1, maxLoaded: undefined }), {
    exitCode: ExitCode.usage,
    message: /^--model: "a" is given twice; another name or version/,
  });
});

t.test("a file whose name looks like a name and a version is that file", (t) => {
  const before = process.cwd();
  t.teardown(() => process.chdir(before));
  process.chdir(t.testdir({ "na me=1@2.onnx": "" }));
  for (const reference of ["na me=1@2.onnx", "na me=1@2.onnx:seq=128"])
    t.match(parseModelEntry(reference), { name: undefined, version: "", reference });
  t.match(parseModelEntry("na me=2.onnx"), { name: "na me", reference: "2.onnx" });
  t.end();
});

const network = join(fashionDirectory, "fashion.onnx");

t.test("a folder holds models by name and version, with labels beside them", async (t) => {
  const root = t.testdir({ "notes.txt": "no model", empty: {} });
  for (const version of ["2", "10"]) {
    await mkdir(join(root, "clothes", version), { recursive: true });
    await copyFile(network, join(root, "clothes", version, "model.onnx"));
  }
  await writeFile(join(root, "clothes", "labels.json"), '["shirt"]');
  await writeFile(join(root, "clothes", "10", "labels.txt"), "dress");
  await copyFile(network, join(root, "single.onnx"));
  const found = await findModels(root);
  t.match(found, [
    { name: "clothes", version: "10", labelsPath: join(root, "clothes", "10", "labels.txt") },
    { name: "clothes", version: "2", labelsPath: join(root, "clothes", "labels.json") },
    { name: "single", version: "", labelsPath: undefined },
  ]);
  t.equal(found.length, 3);
  const { registry } = await openServedModels(found, { threads: 1, maxLoaded: undefined });
  t.same(registry.models.toSorted(), ["clothes@10", "clothes@2", "single"]);
  const spec = { dtype: "uint8", shape: [1, 28, 28], layout: "chw" } as const;
  const opened = await registry.open({ model: "clothes", split: "", spec, content: "model" });
  t.equal(opened.model, "clothes@10");
  t.equal(opened.network.costs?.[0]?.frames, 1, "it is warm and measured");
  await t.rejects(registry.open({ model: "clothes", split: "nowhere", spec, content: "model" }), {
    ...{ name: "StreamRefusal", message: /nowhere/ },
  });
  await registry.close();
  await t.rejects(findModels(join(root, "empty")), { message: /--models: .*empty holds neither/ });
  await t.rejects(findModels(join(root, "none")), { message: /--models: cannot read/ });
});

/** A dense layer of TensorFlow.js, [2] to [3], as its files. */
async function writeTfjs(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const layer = {
    ...{ name: "dense", units: 3, activation: "linear", use_bias: false, batch_input_shape: [null, 2] },
    dtype: "float32",
  };
  const layers = [{ class_name: "Dense", config: layer }];
  const manifest = {
    format: "layers-model",
    modelTopology: { class_name: "Sequential", config: { name: "small", layers } },
    weightsManifest: [
      { paths: ["w.bin"], weights: [{ name: "dense/kernel", shape: [2, 3], dtype: "float32" }] },
    ],
  };
  await writeFile(join(directory, "model.json"), JSON.stringify(manifest));
  await writeFile(join(directory, "w.bin"), new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer));
}

t.test("models of TensorFlow.js are found as well, and what runs them is said once", async (t) => {
  const root = t.testdir({ notes: { "readme.txt": "no model" } });
  await writeTfjs(join(root, "dense", "1"));
  await writeTfjs(join(root, "plain"));
  await writeFile(join(root, "plain", "labels.txt"), "a\nb\nc");
  const found = await findModels(root);
  t.match(found, [
    { name: "dense", version: "1", reference: join(root, "dense", "1", "model.json") },
    { name: "plain", version: "", labelsPath: join(root, "plain", "labels.txt") },
  ]);
  t.equal(found.length, 2);
  const lines: string[] = [];
  const { registry } = await openServedModels(found.slice(0, 1), {
    ...{ threads: 1, maxLoaded: undefined },
    onLog: (line, reference) => lines.push(`${reference}: ${line}`),
  });
  await registry.prepare("dense", "");
  t.match(lines, [/dense\/1\/model\.json: tfjs \S+: backend (tfjs-node-gpu|tfjs-node|wasm|cpu)\b/]);
  t.equal(lines.length, 1);
  await registry.close();
});

t.test(
  "sluice/6.14/2: a model with several inputs is served whole and at cuts, bundles of its tensors only",
  async (t) => {
    const root = t.testdir({ "two.onnx": Buffer.from(twoInputModel()) });
    const entry = { name: "two", version: "", reference: join(root, "two.onnx"), labelsPath: undefined };
    const { registry } = await openServedModels([entry], { threads: 1, maxLoaded: undefined });
    const spec = { dtype: "float32", shape: [4, 8, 8], layout: "chw" } as const;
    const opened = await registry.open({ model: "two", split: "add_1", spec, content: "model" });
    t.equal(opened.network.costs?.[0]?.frames, 1);
    await t.rejects(registry.open({ model: "two", split: "", spec, content: "model" }), {
      name: "StreamRefusal",
      message:
        /^shape: a frame is the bundle of "input" float32 \[3, 8, 8\], "more" float32 \[4, 8, 8\], which is float32 \[448\]/,
    });
    const bundle = { dtype: "float32", shape: [448], layout: "any" } as const;
    const whole = await registry.open({ model: "two", split: "", spec: bundle, content: "model" });
    t.equal(whole.concealment, "zero");
    const more = { ...spec, shape: [3, 8, 8] };
    const named = { ...bundle, parts: [more, { ...spec, shape: [4, 8, 8] }] };
    const known = await registry.open({ model: "two", split: "", spec: named, content: "model" });
    t.equal(known.concealment, undefined, "each tensor by what suits it");
    const swapped = { ...named, parts: named.parts.toReversed() };
    await t.rejects(registry.open({ model: "two", split: "", spec: swapped, content: "model" }), {
      name: "StreamRefusal",
      message: /the stream's is float32 \[448\] of float32 \[4, 8, 8\], float32 \[3, 8, 8\]$/,
    });
    const bytes = { ...bundle, dtype: "uint8" } as const;
    await t.rejects(registry.open({ model: "two", split: "", spec: bytes, content: "model" }), {
      name: "StreamRefusal",
    });
    await registry.close();
  },
);

t.test("where sizes are open and ones do not do, it is said how they are fixed", async (t) => {
  const root = t.testdir({ "open.onnx": Buffer.from(openSizeModel()) });
  const entry = { name: "open", version: "", reference: join(root, "open.onnx"), labelsPath: undefined };
  const { registry } = await openServedModels([entry], { threads: 1, maxLoaded: undefined });
  const advice =
    /input "input": leaves sizes open and .*; sizes stand behind the path of a model, as in model.onnx:3x224x8$/s;
  await t.rejects(registry.prepare("open", ""), { name: "ModelError", message: advice });
  await registry.close();
});

t.test("frames of a network whose batch mixes its samples run one by one, and it is said", async (t) => {
  const lines: string[] = [];
  const onLog = (line: string) => void lines.push(line);
  for (const [bytes, maxFrames] of [
    [batchMixingModel(), 1],
    [tinyModelBytes(() => {}), 16],
  ] as const) {
    const path = join(t.testdir({ "net.onnx": Buffer.from(bytes) }), "net.onnx");
    const half = await loadServedHalf(await loadModel(path), "add_1", { threads: 1, onLog });
    const spec = { dtype: "float32", shape: [4, 8, 8], layout: "chw" } as const;
    t.equal(
      half.serve({ model: "net", split: "add_1", spec, content: "tensors" }).network.maxFrames,
      maxFrames,
    );
    await half.close();
  }
  t.same(lines, ["samples of a batch change each other in this network: its frames run one by one"]);
});
