import { bundleSpec, createTensor, packTensors, TensorError, unpackTensors } from "@sluice/tensor";
import t from "tap";

t.test(
  "sluice/6.14/1: tensors lie one behind the other in one of their type, or of what holds the bits of all",
  async (t) => {
    const floats = createTensor("float32", [1, 2], Float32Array.of(1.5, Number.NaN));
    const ids = createTensor("int32", [3], Int32Array.of(-1, 2 ** 31 - 1, 7));
    const mask = createTensor("uint8", [], Uint8Array.of(1));
    t.same(packTensors([floats, floats]), {
      ...createTensor("float32", [4], Float32Array.of(1.5, Number.NaN, 1.5, Number.NaN)),
      parts: [1, 2].map(() => ({ dtype: "float32", shape: [1, 2], layout: "any" })),
    });
    const bundle = packTensors([floats, ids]);
    t.match(bundle, { dtype: "int32", shape: [5], layout: "any" });
    t.equal(bundle.data[0], 0x3fc00000, "the bits of 1.5");
    t.match(packTensors([mask, floats]), { dtype: "uint8", shape: [9] });
    for (const parts of [
      [floats, ids],
      [mask, floats, ids],
      [ids, mask, mask],
    ])
      t.same(unpackTensors(packTensors(parts), parts), parts);
    t.equal(packTensors([ids]), ids, "one is itself");
    t.equal(unpackTensors(ids, [ids])[0], ids);
    t.same(bundleSpec([ids]), { dtype: "int32", shape: [3], layout: "any" });
    t.throws(
      () => unpackTensors(ids, [floats, ids]),
      new TensorError("bundle", "is int32 [3], its 2 tensors take int32 [5]"),
    );
    t.throws(() => packTensors([]), new TensorError("parts", "there are none"));
  },
);
