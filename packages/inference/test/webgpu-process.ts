/** A process that runs a network on WebGPU and prints what came of it as JSON; the environment says which Vulkan. */
import { compareProviders, createOnnxNetwork, createSyntheticSource, type Engine } from "@sluice/inference";
import type { Tensor } from "@sluice/tensor";
import { tinyModelBytes } from "./tiny-model.js";

const log: string[] = [];
const options = { provider: "webgpu", onLog: (line: string) => void log.push(line) } as const;
const network = createOnnxNetwork(tinyModelBytes());
const inputs: Tensor[] = [];
for await (const { image } of createSyntheticSource([3, 8, 8], { seed: 11, count: 4 })) inputs.push(image);

const valuesOf = (results: readonly Tensor[][]) => results.map(([output]) => [...output!.data]);
async function runWith(engine: Engine) {
  const results = valuesOf(await engine.runBatch(inputs));
  await engine.close();
  return results;
}

const cpu = await runWith(await network.load());
const whole = await network.load(options);
const halves: { cut: string; values: number[][] }[] = [];
// Each half is compiled anew, which takes a processor seconds.
for (const { name } of (await network.listCuts()).slice(0, 3)) {
  const { head, tail } = await network.split(name);
  const engines = await Promise.all([head.load(options), tail.load(options)]);
  const [first, second] = engines;
  const values: number[][] = [];
  for (const input of inputs) values.push([...(await second.run(await first.run([input])))[0]!.data]);
  halves.push({ cut: name, values });
  await Promise.all(engines.map((engine) => engine.close()));
}
// Threads at once: without a lock this ends the process.
const others = await Promise.all([network.load(options), network.load(options)]);
const together = await Promise.all(
  [whole, ...others, whole].flatMap((engine) =>
    [1, 2, 3].map(async () => valuesOf(await engine.runBatch(inputs))),
  ),
);
await Promise.all([whole, ...others].map((engine) => engine.close()));
const figures = await compareProviders(network, {
  ...{ runs: 2, batches: [1, 2], engine: {}, now: () => performance.now() },
});
process.stdout.write(
  JSON.stringify({ provider: whole.provider, log: [...new Set(log)], cpu, halves, together, figures }),
);
