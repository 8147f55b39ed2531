import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EngineError, loadModel, ModelError, type ModelErrorKind, openTfjsNetwork } from "@sluice/inference";
import { createTensor } from "@sluice/tensor";
import t from "tap";
import { residualGraphArtifacts, saveArtifacts, saveLayers, sequentialModel } from "./tfjs-models.js";

interface Manifest {
  modelTopology?: unknown;
  weightsManifest?: unknown;
  format?: string;
}

t.test("files that are no model are refused with what is wrong", async (t) => {
  const directory = await saveArtifacts(residualGraphArtifacts(), t.testdir());
  const path = join(directory, "model.json");
  const text = await readFile(path, "utf8");
  const weights = (edit: (group: { paths: unknown[]; weights: Record<string, unknown>[] }) => void) => {
    const json = JSON.parse(text);
    edit(json.weightsManifest[0]);
    return JSON.stringify(json);
  };
  const without = (key: keyof Manifest) => {
    const json: Manifest = JSON.parse(text);
    delete json[key];
    return JSON.stringify(json);
  };
  const cases: [string, string, ModelErrorKind, RegExp][] = [
    ["no JSON", "{", "not-tfjs", /is not JSON/],
    ["a list", "[]", "not-tfjs", /is not an object/],
    ["nothing in it", "{}", "not-tfjs", /modelTopology: there is none/],
    [
      "a weights manifest alone, as face-api publishes",
      JSON.stringify([{ weights: [], paths: [] }]),
      "not-tfjs",
      /is a weights manifest of TensorFlow.js without a topology/,
    ],
    ["no manifest", without("weightsManifest"), "not-tfjs", /weightsManifest: there is none/],
    [
      "a path out of the folder",
      weights(({ paths }) => paths.splice(0, 1, "../secret")),
      "not-tfjs",
      /leads out of/,
    ],
    [
      "an absolute path",
      weights(({ paths }) => paths.splice(0, 1, "/etc/passwd")),
      "not-tfjs",
      /leads out of/,
    ],
    [
      "a shard that is missing",
      weights(({ paths }) => paths.splice(0, 1, "weights/none.bin")),
      "not-found",
      /none\.bin/,
    ],
    [
      "a shard too few",
      weights(({ paths }) => paths.splice(0, 1)),
      "not-tfjs",
      /the shards have \d+ bytes, .* need \d+/,
    ],
    [
      "a weight that is too large",
      weights(({ weights }) => weights.splice(0, 1, { ...weights[0], shape: [1 << 20, 1 << 20] })),
      "not-tfjs",
      /the manifest's weights need/,
    ],
    [
      "a shape of words",
      weights(({ weights }) => weights.splice(0, 1, { ...weights[0], shape: ["3"] })),
      "not-tfjs",
      /weight "w1": shape/,
    ],
    [
      "a type that is not known",
      weights(({ weights }) => weights.splice(0, 1, { ...weights[0], dtype: "float8" })),
      "not-tfjs",
      /weight "w1": dtype float8/,
    ],
  ];
  for (const [what, json, kind, message] of cases) {
    await writeFile(path, json);
    const error = await loadModel(directory).catch((cause: unknown) => cause);
    t.ok(error instanceof ModelError, what);
    t.match(error, { kind, message }, what);
  }
});

t.test("what TensorFlow.js does not take is told with its words", async (t) => {
  const artifacts = residualGraphArtifacts((nodes) => {
    nodes.find(({ name }) => name === "relu1")!.op = "NoSuchOperation";
  });
  const directory = await saveArtifacts(artifacts, t.testdir());
  const error = await loadModel(directory).catch((cause: unknown) => cause);
  t.ok(error instanceof EngineError);
  t.match(error, { kind: "load-failed", message: /does not take the model: .*NoSuchOperation/ });
});

t.test("backends are tried in order, and what was found is told in a line", async (t) => {
  const directory = await saveLayers(sequentialModel(), t.testdir());
  const path = join(directory, "model.json");
  const fake = fileURLToPath(new URL("./tfjs-native-stand-in.js", import.meta.url));
  const tell = async (modules: Record<string, string>) => {
    const log: string[] = [];
    const network = await openTfjsNetwork(path, { modules, onLog: (line) => log.push(line) });
    log.length = 0;
    const engine = await network.load({ onLog: (line) => log.push(line) });
    const image = createTensor("float32", [8, 8, 1], undefined, "hwc");
    t.same((await engine.run([image]))[0]!.shape, [3]);
    await engine.close();
    return log;
  };
  t.match(await tell({ "@tensorflow/tfjs-node-gpu": fake }), [/backend tfjs-node-gpu$/]);
  t.match(await tell({ "@tensorflow/tfjs-node": fake }), [
    /backend tfjs-node \(@tensorflow\/tfjs-node-gpu is not installed\)$/,
  ]);
  t.match(await tell({}), [
    /backend wasm \(.*tfjs-node-gpu is not installed; .*tfjs-node is not installed\)$/,
  ]);
  t.match(await tell({ "@tensorflow/tfjs-backend-wasm": "no-such-package" }), [
    /backend cpu \(.*; @tensorflow\/tfjs-backend-wasm does not load: Cannot find package 'no-such-package'/,
  ]);
  const error = await openTfjsNetwork(path, { modules: { "@tensorflow/tfjs": "no-such-package" } }).catch(
    (cause: unknown) => cause,
  );
  t.ok(error instanceof EngineError);
  t.match(error, {
    kind: "not-available",
    message: /npm install @tensorflow\/tfjs @tensorflow\/tfjs-backend-wasm/,
  });
});

t.test("an operation that a backend lacks sends the model to the next one", async (t) => {
  // Plain JavaScript has Einsum, WebAssembly has not.
  const artifacts = residualGraphArtifacts((nodes) => {
    const product = nodes.find(({ name }) => name === "logits")!;
    product.op = "Einsum";
    product.attr = { ...product.attr, N: { i: "2" }, equation: { s: btoa("ij,jk->ik") } };
  });
  const directory = await saveArtifacts(artifacts, t.testdir());
  const log: string[] = [];
  await loadModel(directory, { onLog: (line) => log.push(line) });
  t.match(log, [/backend cpu \(.*backend wasm lacks an operation of the model: .*Einsum/]);
});
