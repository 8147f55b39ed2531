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
import { createTensor, encodeStatistics } from "@sluice/tensor";
import t from "tap";
import { encodeMessage, floatValue, type NodeMessage, type TensorMessage } from "./onnx-schema.js";
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
    "two.onnx": Buffer.from(
      tinyModelBytes((model) => model.graph.input.push(floatValue("more", ["N", "rows"]))),
    ),
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
    [
      join(root, "two.onnx"),
      "unsupported",
      /two\.onnx": value "more": the size of axis 0 beside the batch is open; sizes .* as in model\.onnx:more\.1=128$/,
    ],
    [
      join(root, "external.onnx"),
      "not-onnx",
      /weights "w1" lie in another file, and it is not said in which/,
    ],
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

t.test("files and folders of other formats are told, with what makes a model of them", async (t) => {
  const whole = Buffer.from(tinyModelBytes());
  const root = t.testdir({
    ...{ "net.pt": "x", "net.tflite": "x", "net.safetensors": "x", saved: { "saved_model.pb": "x" } },
    ...{ holder: { "a.onnx": whole }, empty: {}, "short.onnx": whole.subarray(0, whole.length - 10) },
    "zip.onnx": Buffer.from("PK\u0003\u0004\u0014\0\0\0", "latin1"),
    "pointer.onnx": "version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
    "page.onnx": "<!DOCTYPE html><html>",
    "lite.onnx": Buffer.from("\u001c\0\0\0TFL3", "latin1"),
  });
  for (const [name, message] of [
    ["net.pt", /net\.pt": is PyTorch's and holds no graph: torch\.onnx\.export/],
    ["net.tflite", /tf2onnx\.convert --tflite/],
    ["net.safetensors", /is PyTorch's/],
    ["saved", /saved": is TensorFlow's: .*--saved-model/],
    ["holder", /is a folder: name a file in it, such as .*holder.a\.onnx$/],
    ["empty", /is a folder without the model\.json/],
    ["short.onnx", /is no ONNX file: .*; the file may have been cut short$/],
    ["zip.onnx", /zip\.onnx": is an archive: unpack it/],
    ["pointer.onnx", /git lfs pull/],
    ["page.onnx", /is a web page/],
    ["lite.onnx", /is TensorFlow Lite's/],
  ] as const) {
    await t.rejects(loadModel(join(root, name)), { name: "ModelError", message });
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

/** The tiny model with the weights w1 in `weights.bin`, behind 64 other bytes. */
function withExternalWeights(place: Readonly<Record<string, string>>): { model: Buffer; weights: Buffer } {
  let weights = Buffer.alloc(0);
  const model = Buffer.from(
    tinyModelBytes(({ graph }) => {
      const tensor = graph.initializer[0]!;
      weights = Buffer.concat([Buffer.alloc(64, 7), tensor.raw_data!]);
      delete tensor.raw_data;
      const where: Record<string, string> = { location: "weights.bin", offset: "64", ...place };
      tensor.external_data = Object.entries(where).map(([key, value]) => ({ key, value }));
      tensor.data_location = 1;
    }),
  );
  return { model, weights };
}

t.test("weights in a file beside the model", async (t) => {
  const { model, weights } = withExternalWeights({});
  const sized = withExternalWeights({ length: String(weights.length - 64) }).model;
  const whole = Buffer.from(tinyModelBytes(() => {}));
  const root = t.testdir({
    ...{ "a.onnx": model, "b.onnx": sized, "weights.bin": weights, "whole.onnx": whole },
  });
  const input = createTensor(
    "float32",
    [3, 8, 8],
    Float32Array.from({ length: 192 }, (_, i) => (i % 13) / 7),
  );
  const run = async (file: string) => {
    const { network } = await loadModel(join(root, file));
    const { head } = await network.split("add_1");
    const engine = await head.load();
    try {
      return (await engine.run([input]))[0]!.data;
    } finally {
      await engine.close();
    }
  };
  const wanted = await run("whole.onnx");
  t.same(await run("a.onnx"), wanted, "to the end of the file");
  t.same(await run("b.onnx"), wanted, "of a length");
});

t.test("constants of nodes, and of their subgraphs, in a file beside the model", async (t) => {
  const constant = (inner: TensorMessage): NodeMessage => ({
    op_type: "Constant",
    input: [],
    output: ["k"],
    attribute: [{ name: "value", type: 4, t: inner }],
  });
  const place = [
    { key: "location", value: "weights.bin" },
    { key: "offset", value: "4" },
    { key: "length", value: "8" },
  ];
  const outside = { dims: [2], data_type: 1, data_location: 1, external_data: place };
  const inside = { dims: [2], data_type: 1, raw_data: Buffer.from(Float32Array.of(2, 3).buffer) };
  const model = (inner: TensorMessage) => {
    const branch = (name: string) => ({
      name,
      node: [constant(inner), { op_type: "Mul", input: ["r", "k"], output: [name] }],
      ...{ initializer: [], input: [], output: [{ name, type: { tensor_type: { elem_type: 1 } } }] },
    });
    return Buffer.from(
      encodeMessage({
        ir_version: 8,
        opset_import: [{ version: 13 }],
        graph: {
          name: "constants",
          node: [
            { op_type: "Relu", input: ["x"], output: ["r"] },
            {
              ...{ op_type: "If", input: ["yes"], output: ["i"] },
              attribute: [
                { name: "then_branch", type: 5, g: branch("then") },
                { name: "else_branch", type: 5, g: branch("else") },
              ],
            },
            { ...constant(inner), output: ["c"] },
            { op_type: "Add", input: ["i", "c"], output: ["y"] },
          ],
          initializer: [{ name: "yes", dims: [], data_type: 9, raw_data: Uint8Array.of(1) }],
          input: [floatValue("x", ["N", 2])],
          output: [floatValue("y", ["N", 2])],
        },
      }),
    );
  };
  const weights = Buffer.from(Float32Array.of(9, 2, 3, 9).buffer);
  const root = t.testdir({ "a.onnx": model(outside), "b.onnx": model(inside), "weights.bin": weights });
  for (const file of ["a.onnx", "b.onnx"]) {
    const engine = await (await loadModel(join(root, file))).network.load();
    const [output] = await engine.run([createTensor("float32", [2], Float32Array.of(1, 10))]);
    t.same(output!.data, Float32Array.of(4, 33), file);
    await engine.close();
  }
  const bare = t.testdir({ "a.onnx": model(outside) });
  await t.rejects(loadModel(join(bare, "a.onnx")), {
    kind: "not-found",
    message: /weights "weights.bin": there is no/,
  });
});

t.test("weights that are not there, too few or outside the folder", async (t) => {
  const cases: [Record<string, string>, ModelErrorKind, RegExp][] = [
    [{ location: "gone.bin" }, "not-found", /weights "gone.bin": there is no such file beside the model/],
    [{ length: "99999" }, "unreadable", /has \d+ bytes, the model wants 99999 bytes at 64/],
    [{ offset: "99999" }, "unreadable", /the model wants/],
    [{ offset: "-4" }, "not-onnx", /offset: a number of bytes expected, got "-4"/],
    [{ location: "../weights.bin" }, "unsupported", /outside the model's folder/],
    [{ location: "/etc/passwd" }, "unsupported", /outside the model's folder/],
    [{ location: "C:\\weights.bin" }, "unsupported", /outside the model's folder/],
    [{ length: "99999999999" }, "too-large", /over 2147483647 bytes/],
  ];
  for (const [place, kind, message] of cases) {
    const { model, weights } = withExternalWeights(place);
    const root = t.testdir({ "m.onnx": model, "weights.bin": weights });
    await t.rejects(loadModel(join(root, "m.onnx")), { kind, message }, JSON.stringify(place));
  }
});

t.test("open sizes of the input are said behind the path", async (t) => {
  const open = tinyModelBytes(({ graph }) => {
    graph.input = [
      {
        name: "input",
        type: {
          tensor_type: {
            elem_type: 1,
            shape: {
              dim: [{ dim_param: "N" }, { dim_value: 3 }, { dim_param: "rows" }, { dim_param: "columns" }],
            },
          },
        },
      },
    ];
  });
  const path = join(t.testdir({ "net.onnx": Buffer.from(open) }), "net.onnx");
  const { network } = await loadModel(path);
  await t.rejects(network.listCuts(), {
    message:
      'input "input": the size of axis 2 is open; sizes stand behind the path of a model, as in model.onnx:3x224x224',
  });
  const fixed = await loadModel(`${path}:3x12x8`);
  t.equal(fixed.name, "net");
  t.same(fixed.input.shape, [3, 12, 8]);
  const cuts = await fixed.network.listCuts();
  t.same(cuts.find(({ name }) => name === "add_1")?.shape, [4, 12, 8]);
  await t.rejects(loadModel(`${path}:4x12x8`), { kind: "unsupported", message: /is no case of/ });
  await t.rejects(loadModel(`${path}:1x3x12x8`), {
    message: /no case of; sizes are said without the first axis/,
  });
  for (const text of ["", "3,12,8", "3x12x", "rows=12x8"]) {
    await t.rejects(loadModel(`${path}:${text}`), {
      kind: "unknown-name",
      message: `model "${path}": sizes "${text}": must be those of its input without the batch axis, as in 3x224x224, or of axes by their names, as in seq=128,rows=64`,
    });
  }
  const named = await loadModel(`${path}:columns=8,input.2=12`);
  t.same(named.input.shape, [3, 12, 8]);
  t.equal(named.input.batch, "dynamic");
  await t.rejects(loadModel(`${path}:rows=12,width=8`), {
    kind: "unknown-name",
    message: /sizes: no input has an open axis "width"; there are: "N", "rows", "columns"/,
  });
});

t.test("open sizes of several inputs are said by the names of axes", async (t) => {
  const bytes = tinyModelBytes(({ graph }) => {
    const open = ["N", 3, "rows", "columns"];
    graph.input = [floatValue("input", open), floatValue("more", ["N", 4, "rows", "columns"])];
    graph.node.find(({ output }) => output[0] === "doubled")!.input = ["conv_2", "more"];
  });
  const path = join(t.testdir({ "net.onnx": Buffer.from(bytes) }), "net.onnx");
  const { network } = await loadModel(path, { severalInputs: true });
  await t.rejects(network.listCuts(), {
    message:
      /axis 2 is open; sizes stand by the names of axes behind the path of a model, as in model.onnx:rows=128/,
  });
  const fixed = await loadModel(`${path}:rows=12,columns=8`, { severalInputs: true });
  t.same(
    fixed.network.inputs.map(({ shape }) => shape),
    [
      [3, 12, 8],
      [4, 12, 8],
    ],
  );
  t.match(
    (await fixed.network.listCuts()).find(({ name }) => name === "add_1"),
    { shape: [4, 12, 8] },
  );
});
