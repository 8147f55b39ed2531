import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fashionDirectory } from "@sluice/inference";
import t from "tap";
import { findModels, openServedModels, parseModelEntry } from "#cli/served-models.js";

t.test("a model may be given a name and a version", async (t) => {
  for (const [text, name, version, reference] of [
    ["fashion", undefined, "", "fashion"],
    ["models/a.onnx", undefined, "", "models/a.onnx"],
    ["faces=a.onnx", "faces", "", "a.onnx"],
    ["faces@2=dir/a=b.onnx", "faces", "2", "dir/a=b.onnx"],
    ["faces@v1.2-rc=sink", "faces", "v1.2-rc", "sink"],
    ["./a@2=b.onnx", undefined, "", "./a@2=b.onnx"],
  ] as const) {
    t.same(parseModelEntry(text), { name, version, reference, labelsPath: undefined }, text);
  }
  t.throws(() => parseModelEntry(""), { message: /--model/ });
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
