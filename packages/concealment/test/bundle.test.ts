import { conceal, createConcealer } from "@sluice/concealment";
import { bundleSpec, createTensor, packTensors, type Tensor, unpackTensors } from "@sluice/tensor";
import t from "tap";

function createParts(moved = 0): Tensor[] {
  const plane = createTensor("float32", [2, 6, 6]);
  for (let i = 0; i < plane.data.length; i++) plane.data[i] = Math.sin(i / 5 + moved);
  const ids = createTensor(
    "int32",
    [7],
    Int32Array.from({ length: 7 }, (_, i) => 1000 * i),
  );
  const far = createTensor("float32", [10]);
  for (let i = 0; i < far.data.length; i++) far.data[i] = 500 + i + moved;
  return [plane, createTensor("uint8", [3], Uint8Array.of(1, 0, 1)), ids, far];
}

/** Every third element of each tensor is missing. */
const maskOf = (tensor: Tensor) => Uint8Array.from(tensor.data, (_, i) => (i % 3 === 1 ? 1 : 0));

/** As it is received: what is missing is 0. */
function withGaps(tensor: Tensor): Tensor {
  const data = tensor.data.slice();
  for (const [i, flag] of maskOf(tensor).entries()) if (flag) data[i] = 0;
  return { ...tensor, data } as Tensor;
}

/** The mask of a bundle of bytes. */
const bundleMask = (parts: readonly Tensor[]) =>
  Uint8Array.from(
    parts.flatMap((part) =>
      [...maskOf(part)].flatMap((flag) => new Array<number>(part.data.BYTES_PER_ELEMENT).fill(flag)),
    ),
  );

t.test("each tensor of a bundle is concealed as if it were alone, and whole numbers by 0", async (t) => {
  const parts = createParts();
  const before = createParts(0.02);
  const spec = bundleSpec(parts);
  for (const method of ["auto", "zero", "channel-mean", "spatial", "temporal"] as const) {
    for (const isLater of [false, true]) {
      const expected = parts.map((part, i) => {
        const tensor = withGaps(part);
        const isFloat = part.dtype === "float32";
        const reference = isLater && isFloat ? { reference: { tensor: before[i]! } } : {};
        conceal(tensor, maskOf(part), isFloat ? method : "zero", reference);
        return tensor;
      });
      const bundle = packTensors(parts.map(withGaps));
      const reference = isLater ? { tensor: packTensors(before) } : undefined;
      createConcealer(spec, method).conceal(bundle, bundleMask(parts), reference);
      t.same(unpackTensors(bundle, parts), expected, `${method}${isLater ? ", later" : ""}`);
    }
  }
});

t.test("what does not fit a bundle is named", async (t) => {
  const parts = createParts();
  const spec = bundleSpec(parts);
  t.throws(() => createConcealer(spec, "hybrid"), {
    name: "TensorError",
    message: /hybrid needs statistics, which are of one tensor; a bundle of 4 takes auto/,
  });
  t.throws(() => createConcealer({ ...spec, shape: [5] }, "auto"), {
    name: "TensorError",
    message: /^parts/,
  });
  t.throws(() => createConcealer(spec, "zero").conceal(packTensors(parts), new Uint8Array(3)), {
    name: "TensorError",
    message: /^missing/,
  });
});
