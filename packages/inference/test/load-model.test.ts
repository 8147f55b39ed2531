import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  loadModel,
  ModelError,
  type ModelErrorKind,
  preprocessPresets,
  readLabels,
  readStatistics,
  statisticsPath,
} from "@sluice/inference";
import { encodeStatistics } from "@sluice/tensor";
import t from "tap";
import { floatValue } from "./onnx-schema.js";
import { tinyModelBytes } from "./tiny-model.js";

t.test("a model from a file", async (t) => {
  const root = t.testdir({ "tiny.onnx": Buffer.from(tinyModelBytes()), "labels.json": '["a", "b"]' });
  const model = await loadModel(join(root, "tiny.onnx"), { labelsPath: join(root, "labels.json") });
  t.equal(model.name, "tiny");
  t.equal(model.network.format, "onnx");
  t.equal(model.network.byteLength, tinyModelBytes().length);
  t.same(model.input, { name: "input", dtype: "float32", shape: [3, 8, 8], layout: "chw", batch: "dynamic" });
  t.same(model.labels, ["a", "b"]);
  t.equal(model.preprocess, preprocessPresets["torch-small"]);
  t.equal(model.defaultCut, undefined);
});

t.test("an input with its channels last is seen as such", async (t) => {
  const save = (shape: number[]) =>
    Buffer.from(
      tinyModelBytes((model) => {
        model.graph.input = [floatValue("input", ["N", ...shape])];
      }),
    );
  const root = t.testdir({ "last.onnx": save([96, 80, 3]), "map.onnx": save([512, 3, 3]) });
  const last = await loadModel(join(root, "last.onnx"));
  t.equal(last.input.layout, "hwc");
  t.equal(last.preprocess, preprocessPresets.torch);
  t.equal((await loadModel(join(root, "map.onnx"))).input.layout, "chw");
});

t.test("what is no model is refused", async (t) => {
  const root = t.testdir({
    "noise.onnx": Buffer.from([1, 2, 3]),
    "empty.onnx": "",
    "folder.onnx": {},
    "two.onnx": Buffer.from(tinyModelBytes((model) => model.graph.input.push(floatValue("more", ["N", 1])))),
    "external.onnx": Buffer.from(
      tinyModelBytes((model) => {
        model.graph.initializer[0]!.data_location = 1;
      }),
    ),
    "shapeless.onnx": Buffer.from(
      tinyModelBytes((model) => {
        model.graph.input = [{ name: "input" }];
      }),
    ),
  });
  const cases: [string, ModelErrorKind, RegExp][] = [
    ["fasion", "unknown-name", /model "fasion": is neither an embedded model \("fashion"\) nor a path/],
    [join(root, "missing.onnx"), "not-found", /missing\.onnx": there is no such file/],
    [join(root, "folder.onnx"), "unreadable", /is not a file/],
    [join(root, "noise.onnx"), "not-onnx", /noise\.onnx": /],
    [join(root, "empty.onnx"), "not-onnx", /is empty/],
    [join(root, "two.onnx"), "unsupported", /has 2 inputs/],
    [join(root, "external.onnx"), "unsupported", /weights "w1" lie in another file/],
    [join(root, "shapeless.onnx"), "missing-type", /value "input"/],
  ];
  for (const [path, kind, message] of cases) {
    try {
      await loadModel(path);
      t.fail(`${path} was taken`);
    } catch (error) {
      t.ok(error instanceof ModelError);
      t.match(error, { kind, message });
    }
  }
});

t.test("statistics lie beside the model", async (t) => {
  const directory = t.testdir({ statistics: {} });
  const cut = "/layer1/Add_output_0";
  t.equal(await readStatistics({ directory }, cut), undefined);
  const statistics = {
    cut,
    shape: [2, 1, 2],
    samples: 3,
    channelMean: Float32Array.of(1, 2),
    channelDeviation: Float32Array.of(3, 4),
    meanElement: Float32Array.of(1, 1, 2, 2),
  };
  await mkdir(join(directory, "statistics"), { recursive: true });
  await writeFile(statisticsPath({ directory }, cut), JSON.stringify(encodeStatistics(statistics)));
  t.match(await readStatistics({ directory }, cut), statistics);
  await writeFile(statisticsPath({ directory }, cut), "{");
  await t.rejects(readStatistics({ directory }, cut), /statistics ".*": /);
});

t.test("labels from a list, a table and lines", async (t) => {
  const root = t.testdir({
    "a.json": '["x", "y"]',
    "b.tsv": "file\tindex\twnid\tname\nf\t2\tn\ttwo\r\ng\t0\tn\tzero\n",
    "c.txt": "x\r\ny\n",
    "d.json": "[1]",
    "e.json": "[",
    "f.tsv": "index\tname\n99999999\tx",
  });
  t.same(await readLabels(join(root, "a.json")), ["x", "y"]);
  t.same(await readLabels(join(root, "b.tsv")), ["zero", "1", "two"]);
  t.same(await readLabels(join(root, "c.txt")), ["x", "y"]);
  await t.rejects(readLabels(join(root, "d.json")), /must be a list of strings/);
  await t.rejects(readLabels(join(root, "e.json")), /is not JSON/);
  await t.rejects(readLabels(join(root, "f.tsv")), /column "index"/);
  await t.rejects(readLabels(join(root, "none.json")), /labels: cannot read/);
});
