import { setFlagsFromString } from "node:v8";
import { createTensor, type TensorSpec } from "@sluice/tensor";
import t from "tap";
import { createSpareTensors } from "#src/spare-tensors.js";

const spec: TensorSpec = { dtype: "float32", shape: [2, 3], layout: "any" };
const tensorOf = ({ dtype, shape, layout }: TensorSpec) => createTensor(dtype, shape, undefined, layout);

t.test("memory comes back for tensors of its type and size, whatever their shape", async (t) => {
  const spare = createSpareTensors();
  t.equal(spare.take(spec), undefined);
  const first = tensorOf(spec);
  const second = tensorOf(spec);
  spare.give(first);
  spare.give(second);
  t.equal(spare.take({ ...spec, dtype: "int32" }), undefined, "as long, of another type");
  t.equal(spare.take({ ...spec, shape: [7] }), undefined);
  const taken = spare.take({ dtype: "float32", shape: [1, 2, 3], layout: "chw" });
  t.equal(taken?.data, second.data, "what was given last");
  t.same([taken?.shape, taken?.layout], [[1, 2, 3], "chw"]);
  t.equal(spare.take(spec)?.data, first.data);
  t.equal(spare.take(spec), undefined, "nobody gets what somebody has");
});

t.test("it holds 16 MiB and 64 tensors at most, and what was given first goes first", async (t) => {
  const spare = createSpareTensors();
  const small = tensorOf(spec);
  spare.give(small);
  const large: TensorSpec = { dtype: "uint8", shape: [5 << 20], layout: "any" };
  for (let i = 0; i < 4; i++) spare.give(tensorOf(large));
  t.equal(spare.take(spec), undefined);
  let held = 0;
  while (spare.take(large)) held++;
  t.equal(held, 3);
  for (let i = 0; i < 100; i++) spare.give(tensorOf(spec));
  while (spare.take(spec)) held++;
  t.equal(held, 3 + 64);
  const tooLarge: TensorSpec = { ...large, dtype: "int32" };
  spare.give(tensorOf(tooLarge));
  t.equal(spare.take(tooLarge), undefined, "larger than all together");
});

t.test("they have the form of all other tensors, so that what reads them stays fast", async (t) => {
  setFlagsFromString("--allow-natives-syntax");
  const haveSameForm = new Function("a", "b", "return %HaveSameMap(a, b)") as (
    a: object,
    b: object,
  ) => boolean;
  const spare = createSpareTensors();
  const first = tensorOf(spec);
  // V8 makes up its mind after some of them.
  const makeMany = (make: () => object) => Array.from({ length: 100 }, make).at(-1)!;
  const taken = () => {
    spare.give(first);
    return spare.take(spec)!;
  };
  t.ok(haveSameForm(makeMany(taken), first));
  t.ok(haveSameForm(makeMany(taken), makeMany(taken)));
  const spread = () => ({ ...spec, data: first.data });
  t.notOk(haveSameForm(makeMany(spread), makeMany(spread)), "as with a spread they have not");
});
