/** onnxruntime-web in a worker of a page: the same values as onnxruntime here. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle, noChromium, openChromium, servePages } from "@sluice/chromium-test";
import { fashionDirectory, loadModel, loadOnnxruntime, openTestImages, splitModel } from "@sluice/inference";
import t from "tap";

const directory = fileURLToPath(new URL("../../", import.meta.url));
const runtimeFolder = dirname(createRequire(import.meta.url).resolve("onnxruntime-web/wasm"));

const entry = `
import { loadOnnxruntimeWeb } from "@sluice/inference/web";
import { createTensor } from "@sluice/tensor";
let engine;
let chosen;
const describe = ({ kind, message }) => ({ kind, message });
export async function load(path, options) {
  const model = new Uint8Array(await (await fetch(path)).arrayBuffer());
  try {
    engine = await loadOnnxruntimeWeb(model, {
      ...options,
      wasmFolder: "/runtime/",
      createWorker: () => new Worker("/worker/entry.js", { type: "module" }),
      onProvider: (provider, passedOver) => { chosen = { provider, passedOver }; },
    });
    return { inputs: engine.inputs, outputs: engine.outputs, ...chosen };
  } catch (error) {
    return describe(error);
  }
}
export async function run(values) {
  const { dtype, shape, layout } = engine.inputs[0];
  const [output] = await engine.run([createTensor(dtype, shape, Float32Array.from(values), layout)]);
  return [...output.data];
}
export const runWrong = () => engine.run([createTensor("float32", [3], new Float32Array(3))]).catch(describe);
export async function close() {
  const pending = engine.run([createTensor("float32", engine.inputs[0].shape, undefined, "chw")]).catch(describe);
  await engine.close();
  return pending;
}
`;

t.test("an engine in a page", { skip: noChromium, timeout: 120_000 }, async (t) => {
  const model = await loadModel("fashion");
  const whole = await readFile(join(fashionDirectory, "fashion.onnx"));
  const { head } = await splitModel(whole, model.defaultCut!);
  const [page, worker] = await Promise.all([
    bundle({ code: entry, directory }),
    bundle({ code: `import "@sluice/inference/web/worker";`, directory }),
  ]);
  const pages = await servePages((path) => {
    if (path === "/") return "<!doctype html><title>engine</title>";
    if (path === "/head.onnx") return head;
    if (path === "/broken.onnx") return "no model";
    if (path.startsWith("/runtime/")) return readFile(join(runtimeFolder, basename(path)));
    return path.startsWith("/worker/")
      ? worker.files.get(path.slice("/worker".length))
      : page.files.get(path);
  });
  const browser = await openChromium();
  t.teardown(async () => {
    await browser.close();
    await pages.close();
  });
  await browser.page.goto(`${pages.origin}/`);
  const call = (name: string, ...parameters: unknown[]) =>
    browser.page.evaluate(
      `import("/entry.js").then((page) => page[${JSON.stringify(name)}](...${JSON.stringify(parameters)}))`,
    );

  const here = await loadOnnxruntime(head);
  t.teardown(() => here.close());
  t.match(await call("load", "/head.onnx", {}), {
    inputs: here.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    outputs: here.outputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    provider: "wasm",
    passedOver: [/^webgpu: /],
  });
  let images = 0;
  for await (const { image } of await openTestImages(model.input, model.preprocess)) {
    const [wanted] = await here.run([image]);
    const got = (await call("run", [...image.data])) as number[];
    t.equal(got.length, wanted!.data.length);
    const worst = got.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted!.data[i]!)), 0);
    t.ok(worst < 1e-4, `differs by at most ${worst}`);
    if (++images === 5) break;
  }
  t.match(await call("runWrong"), { kind: "bad-input", message: /has shape \[3\], the model takes/ });
  t.match(await call("close"), { kind: "closed" });
  t.match(await call("load", "/broken.onnx", { providers: ["wasm"] }), {
    kind: "load-failed",
    message: /^onnxruntime-web: wasm: /,
  });
});
