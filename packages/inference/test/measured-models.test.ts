/** Splits of published networks; they lie outside the repository, in the folder that SLUICE_DATA names. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createSyntheticSource, listCuts, loadOnnxruntime, splitModel } from "@sluice/inference";
import t from "tap";

const data = process.env.SLUICE_DATA;
const skip = data === undefined ? "SLUICE_DATA is not set: no published networks to measure" : false;
const read = (name: string): Promise<Uint8Array> => readFile(join(data ?? "", "models", `${name}.onnx`));

const networks = [
  { name: "mobilenet_v2_1.0_224_fp32", cut: "add_3", shape: [32, 28, 28], input: [3, 224, 224] },
  { name: "squeezenet1.1_fp32", cut: "fire5/concat_1", shape: [256, 27, 27], input: [3, 224, 224] },
];

for (const { name, cut, shape, input } of networks) {
  t.test(`${name}: the halves equal the whole at ${cut}`, { skip }, async (t) => {
    const bytes = await read(name);
    const split = await splitModel(bytes, cut);
    t.same(split.cut.type.shape, ["N", ...shape]);
    for (const graphOptimization of ["disabled", "all"] as const) {
      const engines = await Promise.all(
        [bytes, split.head, split.tail].map((half) => loadOnnxruntime(half, { graphOptimization })),
      );
      const [whole, head, tail] = engines;
      for await (const { image } of createSyntheticSource(input, { seed: 9, count: 2 })) {
        const [expected] = await whole!.run([image]);
        const [actual] = await tail!.run(await head!.run([image]));
        const difference = Math.max(...Array.from(actual!.data, (x, i) => Math.abs(x - expected!.data[i]!)));
        if (graphOptimization === "disabled") t.equal(difference, 0, "bit by bit");
        else t.ok(difference <= 1e-5, `within 1e-5 (${difference})`);
      }
      await Promise.all(engines.map((engine) => engine.close()));
    }
  });
}

t.test("mobilenet's residual sums are cuts, what they are made of is not", { skip }, async (t) => {
  const cuts = await listCuts(await read("mobilenet_v2_1.0_224_fp32"));
  const add3 = cuts.find(({ name }) => name === "add_3");
  t.match(add3, { shape: [32, 28, 28], bytes: 100_352, operation: "Add" });
  t.ok(add3!.workShare > 0.2 && add3!.workShare < 0.6, `${add3!.workShare} of the work before add_3`);
  const names = new Set(cuts.map(({ name }) => name));
  for (let i = 1; i <= 10; i++) t.ok(names.has(`add_${i}`));
  t.notOk(names.has("dwconv_5"));
});
