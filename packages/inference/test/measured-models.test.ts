/** Splits of published networks; they lie outside the repository, in the folder that SLUICE_DATA names. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createOnnxNetwork, listCuts } from "@sluice/inference";
import t from "tap";
import { differencesAtCuts } from "./every-cut.js";

const data = process.env.SLUICE_DATA;
const skip = data === undefined ? "SLUICE_DATA is not set: no published networks to measure" : false;
const read = (name: string): Promise<Uint8Array> => readFile(join(data ?? "", "models", `${name}.onnx`));

const networks = [
  { name: "mobilenet_v2_1.0_224_fp32", cut: "add_3", shape: [32, 28, 28], count: 49 },
  { name: "squeezenet1.1_fp32", cut: "fire5/concat_1", shape: [256, 27, 27], count: 33 },
];

/** Loading so many halves takes minutes: all of them only where that is asked for. */
const step = process.env.SLUICE_EVERY_CUT === undefined ? 24 : 1;
t.setTimeout(0);

for (const { name, cut, shape, count } of networks) {
  t.test(`${name}: the halves equal the whole`, { skip }, async (t) => {
    t.setTimeout(0);
    const network = createOnnxNetwork(await read(name));
    t.same((await network.split(cut)).cut.shape, shape);
    t.equal((await network.listCuts()).length, count);
    const exact = await differencesAtCuts(network, "disabled", step);
    for (const { cut, difference } of exact) t.equal(difference, 0, `${cut}: bit by bit`);
    t.equal(exact.length, Math.ceil(count / step));
    for (const { cut, difference } of await differencesAtCuts(network, "all", step)) {
      t.ok(difference <= 1e-5, `${cut}: within 1e-5 (${difference})`);
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
