import { classify, fashionDefaultCut, loadModel, openSource, specOf } from "@sluice/inference";
import t from "tap";

t.test("the embedded model, cut in two, tells clothes apart", async (t) => {
  const model = await loadModel("fashion");
  t.same(specOf(model.input), { dtype: "float32", shape: [1, 28, 28], layout: "chw" });
  t.equal(model.labels.length, 10);
  t.equal(model.defaultCut, fashionDefaultCut);
  const split = await model.network.split(fashionDefaultCut);
  t.same(split.cut.shape, [64, 14, 14]);
  const engines = await Promise.all(
    [model.network, split.head, split.tail].map((network) => network.load({ graphOptimization: "disabled" })),
  );
  const [whole, head, tail] = engines;
  let right = 0;
  let count = 0;
  for await (const { image, label } of await openSource("test-images", model, { seed: 5 })) {
    if (count === 300) break;
    count++;
    const [expected] = await whole!.run([image]);
    const [actual] = await tail!.run(await head!.run([image]));
    if (count <= 20) t.same(actual!.data, expected!.data, `image ${count}: bit by bit`);
    if (classify(actual!, model.labels, 1)[0]?.label === label) right++;
  }
  t.ok(right / count > 0.9, `${right} of ${count} right`);
  await Promise.all(engines.map((engine) => engine.close()));
});

t.test("the default cut is the second residual sum of 14x14x64, well inside the network", async (t) => {
  const cuts = await (await loadModel("fashion")).network.listCuts();
  const sums = cuts.filter(({ shape, operation }) => operation === "Add" && shape.join() === "64,14,14");
  t.equal(sums[1]?.name, fashionDefaultCut);
  t.ok(sums[1]!.workShare > 0.2 && sums[1]!.workShare < 0.95, `${sums[1]!.workShare} of the work before it`);
});
