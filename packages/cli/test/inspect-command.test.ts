import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { ExitCode } from "@sluice/cli";
import { prepareCodec } from "@sluice/codec";
import { fashionDefaultCut, fashionDirectory, loadModel } from "@sluice/inference";
import t from "tap";
import { openModelPart } from "#cli/model-part.js";
import { runHere } from "./run-here.js";
import { runSluice } from "./run-sluice.js";
import { tinyModelBytes, twoInputModel } from "./tiny-models.js";

t.test("lists the cuts of the embedded model as JSON", async (t) => {
  const run = await runSluice(["inspect", "fashion", "--json"]);
  t.match(run, { code: 0, stderr: "" });
  const report = JSON.parse(run.stdout);
  t.match(report, {
    name: "fashion",
    classes: 10,
    input: { dtype: "float32", shape: [1, 28, 28] },
    outputs: [{ shape: [10] }],
  });
  const cuts = new Map<string, Record<string, unknown>>(
    report.cuts.map((cut: { name: string }) => [cut.name, cut]),
  );
  for (const name of ["add_1", "add_2", "add_3", "add_4", "add_5"]) {
    t.match(cuts.get(name), { operation: "Add", statistics: true }, name);
  }
  t.match(cuts.get(fashionDefaultCut), { recommended: true, shape: [64, 14, 14], elements: 12544 });
  for (const { elements, float32Bytes, codedBytes, slices, workShare } of report.cuts) {
    t.equal(float32Bytes, elements * 4);
    t.ok(codedBytes > 0 && codedBytes < float32Bytes);
    t.ok(slices >= codedBytes / report.payloadBytes);
    t.ok(workShare >= 0 && workShare <= 1);
  }
});

t.test("raw codec: as many bytes as elements have", async (t) => {
  const { stdout } = await runSluice(["inspect", "fashion", "--codec", "raw", "--json"]);
  const report = JSON.parse(stdout);
  t.equal(report.codec, "raw");
  for (const cut of report.cuts) t.equal(cut.codedBytes, cut.float32Bytes, cut.name);
});

t.test("a chain of variable rate is told for noise", async (t) => {
  for (const codec of [
    "quantize:levels=8,clip=3 | entropy",
    "quantize:levels=256 | tile | jpeg:quality=30",
  ]) {
    const { code, stdout } = await runSluice(["inspect", "fashion", "--codec", codec, "--json"]);
    t.equal(code, 0);
    for (const { name, codedBytes, elements } of JSON.parse(stdout).cuts) {
      // A small tensor is a sliver of a picture, most of which is padding.
      if (elements < 1000) continue;
      t.ok(
        codedBytes > elements / 4 && codedBytes < elements,
        `${codec} at ${name}: ${codedBytes} of ${elements}`,
      );
    }
  }
});

t.test("a model by its path, as a table", async (t) => {
  const path = join(t.testdir(), "mine.onnx");
  await copyFile(join(fashionDirectory, "fashion.onnx"), path);
  const { code, stdout } = await runSluice(["inspect", path]);
  t.equal(code, 0);
  t.match(
    stdout,
    /^mine: onnx, 1\.0 MiB\n {2}input {3}input {2}float32 1x28x28\n {2}output {2}logits {2}float32 10\n/,
  );
  t.match(stdout, /^add_3 +Add +64x14x14 +12544 +49\.0 KiB +[\d.]+ KiB +\d+ +\d+\.\d %$/m);
});

t.test("tensors that are no cuts, with the path that goes around them", async (t) => {
  const json = await runSluice(["inspect", "fashion", "--illegal", "--json"]);
  const { illegal } = JSON.parse(json.stdout);
  t.ok(illegal.length > 5);
  for (const { name, reason, bypass } of illegal) {
    t.match(reason, /^".+" bypasses it \(path /, name);
    t.equal(bypass[0], "input");
    t.notOk(bypass.includes(name));
  }
  const { stdout } = await runSluice(["inspect", "fashion", "--illegal"]);
  t.match(stdout, /\nno cut +operation +because\n/);
  t.match(stdout, new RegExp(`\\n${illegal[0].name} +${illegal[0].operation} +"`));
});

t.test(
  "the model may be named by --model as elsewhere, in a file too, where the argument goes first",
  async (t) => {
    const byArgument = await runHere(["inspect", "fashion", "--json"]);
    t.equal(byArgument.code, 0, byArgument.stderr);
    t.same(await runHere(["inspect", "--model", "fashion", "--json"]), byArgument);
    const directory = t.testdir({ "sluice.yaml": "inspect:\n  model: no-such.onnx\n" });
    const config = ["--config", join(directory, "sluice.yaml")];
    t.same(await runHere([...config, "inspect", "fashion", "--json"]), byArgument);
    t.match(await runHere([...config, "inspect"]), { code: ExitCode.notFound, stderr: /no-such\.onnx/ });
    const both = await runHere(["inspect", "fashion", "--model", "ocr"]);
    t.match(both, { code: ExitCode.usage, stderr: /--model: is "ocr", but the argument says "fashion"/ });
  },
);

t.test("a model with several inputs is described and cut, also where several tensors cross", async (t) => {
  const root = t.testdir({ "two.onnx": Buffer.from(twoInputModel()) });
  const path = join(root, "two.onnx");
  const { code, stdout } = await runHere(["inspect", path, "--illegal"]);
  t.equal(code, 0);
  t.match(stdout, /\n {2}input {3}input {2}float32 3x8x8\n {2}input {3}more {2}float32 4x8x8\n/);
  t.match(stdout, /^add_1 +Add /m);
  t.match(stdout, /^relu_1 +Relu +4x8x8 \+ 4x8x8 .* with "more"$/m);
  t.match(stdout, /^relu_1\+conv_2 +Conv +4x8x8 \+ 4x8x8 \+ 4x8x8 .* with "more"$/m);
  t.match(stdout, /\nno cut +operation +because\ndead +Neg +no output depends on it\n$/);
  const out = join(root, "halves");
  const split = await runHere(["split", path, "--split", "add_1", "--out", out]);
  t.match(split.stdout, /from the inputs input, more to add_1 \[4, 8, 8\] float32/);
  const two = await runHere(["split", path, "--split", "relu_1", "--out", out]);
  t.match(
    two.stdout,
    /from the input input to relu_1 \[4, 8, 8\] float32\n.*from there and the input more to the output/,
  );
});

t.test("a model that can be cut nowhere says so", async (t) => {
  const bytes = tinyModelBytes((model) => {
    model.graph.node = [{ op_type: "Relu", input: ["input"], output: ["logits"] }];
    model.graph.output = model.graph.input.map(({ type }) => ({ name: "logits", type }));
  });
  const path = join(t.testdir({ "one.onnx": Buffer.from(bytes) }), "one.onnx");
  t.match((await runHere(["inspect", path])).stdout, /\nit can be cut nowhere; --illegal says why\n/);
  const { stdout } = await runHere(["inspect", path, "--illegal"]);
  t.match(stdout, /\nit can be cut nowhere\n/);
  t.match(stdout, /\nit has no inner tensors\n/);
});

t.test("sizes are told for the codec that is sent with: whole numbers as they are", async (t) => {
  const bytes = tinyModelBytes(({ graph }) => {
    // What comes of the first convolution is rounded to int32, and goes on from there.
    const at = graph.node.findIndex(({ output }) => output[0] === "relu_1");
    const to = (type: number) => [{ name: "to", type: 2, i: type }];
    graph.node.splice(
      at + 1,
      0,
      Object.assign({ op_type: "Cast", input: ["relu_1"], output: ["whole"] }, { attribute: to(6) }),
      Object.assign({ op_type: "Cast", input: ["whole"], output: ["again"] }, { attribute: to(1) }),
    );
    for (const node of graph.node.slice(at + 3)) {
      node.input = node.input.map((name) => (name === "relu_1" ? "again" : name));
    }
  });
  const path = join(t.testdir({ "whole.onnx": Buffer.from(bytes) }), "whole.onnx");
  const report = JSON.parse((await runHere(["inspect", path, "--json"])).stdout);
  const whole = report.cuts.find(({ name }: { name: string }) => name === "whole");
  t.match(whole, { dtype: "int32", codec: "raw", codedBytes: whole.elements * 4 });
  const model = await loadModel(path);
  for (const { name, codec } of report.cuts) {
    const part = await openModelPart(model, { strategy: "shared", split: name });
    t.equal((await prepareCodec(part.codecs[0]!)).text, codec, name);
    await part.close();
  }
  const table = await runHere(["inspect", path]);
  t.match(table.stdout, /\ncoded: quantize:.*, whole numbers raw, in slices of at most/);
  const named = await runHere(["inspect", path, "--json", "--codec", "quantize:levels=8"]);
  for (const { codec } of JSON.parse(named.stdout).cuts) t.match(codec, /^quantize:levels=8/);
  const profiled = await runHere([
    "profile",
    path,
    "--split",
    "whole",
    "--runs",
    "1",
    "--images",
    "1",
    "--json",
  ]);
  const shared = JSON.parse(profiled.stdout).options.filter(
    ({ strategy }: { strategy: string }) => strategy === "shared",
  );
  t.match(shared, [{ split: "whole", codec: "raw" }]);
  t.equal(shared.length, 1);
});

t.test("what a run gives is told, not what a file declares wrong", async (t) => {
  const bytes = tinyModelBytes(({ graph }) => {
    const dim = [{ dim_param: "N" }, { dim_value: 4 }, { dim_value: 9 }];
    const add = { name: "add_1", type: { tensor_type: { elem_type: 1, shape: { dim } } } };
    Object.assign(graph, { value_info: [add], output: [{ name: "logits" }] });
  });
  const path = join(t.testdir({ "wrong.onnx": Buffer.from(bytes) }), "wrong.onnx");
  const { code, stdout } = await runHere(["inspect", path]);
  t.equal(code, 0);
  t.match(stdout, /^add_1 +Add +4x8x8 .* declared as float32 4x9, which a run does not give$/m);
  t.match(stdout, /\n {2}output {2}logits {2}float32 5\n/);
});
