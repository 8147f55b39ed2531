/** What a frame gives in a batch is what it gives alone, bit for bit: a captured frame is replayed alone. */
import { join } from "node:path";
import { loadModel, type Network } from "@sluice/inference";

import { createTensor, elementCount, type Tensor } from "@sluice/tensor";
import t, { type Test } from "tap";
import { createSeededRandom } from "#src/sources/seeded-random.js";

const data = process.env.SLUICE_DATA;
const skip = data === undefined ? "SLUICE_DATA is not set: no published networks to run" : false;
const seed = 7;
const frames = 16;

async function compare(t: Test, network: Network, threads: number): Promise<void> {
  const random = createSeededRandom(seed);
  const { dtype, shape, layout } = network.inputs[0]!;
  const sizes = shape.map((size) => size ?? 1);
  const inputs: Tensor[] = Array.from({ length: frames }, () =>
    createTensor(
      dtype,
      sizes,
      Float32Array.from({ length: elementCount(sizes) }, () => random()),
      layout,
    ),
  );
  const engine = await network.load({ threads });
  const alone: Tensor[] = [];
  for (const input of inputs) alone.push((await engine.run([input]))[0]!);
  for (const size of [2, 3, 8, frames]) {
    const together = await engine.runBatch(inputs.slice(0, size));
    const same = together.every(([output], n) =>
      output!.data.every((value, i) => Object.is(value, alone[n]!.data[i])),
    );
    t.ok(same, `a batch of ${size}, ${threads} threads`);
  }
  await engine.close();
}

t.test("the embedded model, whole and behind its cut", async (t) => {
  const model = await loadModel("fashion");
  const { tail } = await model.network.split(model.defaultCut!);
  for (const network of [model.network, tail])
    for (const threads of [1, 2]) await compare(t, network, threads);
});

t.test("published networks", { skip }, async (t) => {
  for (const name of ["resnet20_cifar10.onnx", "squeezenet1.1_fp32.onnx"]) {
    const { network } = await loadModel(join(data!, "models", name));
    await compare(t, network, 1);
  }
});
