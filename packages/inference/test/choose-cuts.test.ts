import { type Cut, chooseCuts, loadModel } from "@sluice/inference";
import t from "tap";

const cut = (name: string, elements: number, workShare: number): Cut => ({
  ...{
    name,
    elements,
    workShare,
    operation: "Add",
    bytes: 4 * elements,
    nodeShare: workShare,
    multiplyAdds: 0,
  },
  ...{ dtype: "float32", shape: [elements], layout: "any" },
});

t.test("only cuts that carry less than the input and all before them, away from both ends", async (t) => {
  const cuts = [
    cut("scaled", 100, 0),
    cut("wide", 4_000, 0.1),
    cut("a", 900, 0.2),
    cut("as-much", 800, 0.3),
    cut("b", 300, 0.5),
    cut("c", 200, 0.7),
    cut("last", 10, 0.99),
  ];
  const names = (most: number) => chooseCuts(cuts, 2_000, most).map(({ name }) => name);
  t.same(names(5), ["a", "b", "c"]);
  t.same(names(2), ["a", "b"], "what saves most, in the order of the network");
  t.same(names(0), []);
});

t.test("the embedded model has a small input: no cut carries less", async (t) => {
  const { network } = await loadModel("fashion");
  t.same(chooseCuts(await network.listCuts(), 784, 3), []);
});
