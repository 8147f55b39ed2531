import {
  channelAxis,
  channelIndex,
  checkSpec,
  createTensor,
  psnr,
  readFloat32,
  type TensorSpec,
  tensorBytes,
  writeFloat32,
} from "@sluice/tensor";
import t from "tap";

t.test("a spec is checked field by field", async (t) => {
  const good: TensorSpec = { dtype: "float32", shape: [2, 3, 4], layout: "chw" };
  t.doesNotThrow(() => checkSpec(good));
  t.doesNotThrow(() => checkSpec({ ...good, shape: [], layout: "any" }));
  const refused: [Partial<Record<keyof TensorSpec, unknown>>, string][] = [
    [{ dtype: "float64" }, "dtype"],
    [{ layout: "nchw" }, "layout"],
    [{ shape: [2, 3] }, "layout"],
    [{ shape: [1, 1, 0] }, "shape"],
    [{ shape: [1, 1, 1.5] }, "shape"],
    [{ shape: [1, 2 ** 13, 2 ** 12] }, "shape"],
    [{ shape: new Array(9).fill(1), layout: "any" }, "shape"],
  ];
  for (const [change, field] of refused) {
    t.throws(
      () => checkSpec({ ...good, ...change } as TensorSpec),
      { name: "TensorError", field },
      JSON.stringify(change),
    );
  }
});

t.test("a tensor is made of zeros or of data of the right length", async (t) => {
  t.strictSame(createTensor("int8", [2, 2]).data, new Int8Array(4));
  t.equal(createTensor("int8", [2, 2]).layout, "any");
  t.equal(createTensor("int8", [2, 2, 1]).layout, "chw");
  t.throws(() => createTensor("int8", [2, 2], new Int8Array(5)), { name: "TensorError", field: "data" });
  const tensor = createTensor("uint8", [2], Uint8Array.of(9, 1, 2).subarray(1));
  t.strictSame([...tensorBytes(tensor)], [1, 2]);
});

t.test("channel of an element", async (t) => {
  const of = (shape: number[], layout: TensorSpec["layout"]) =>
    Array.from({ length: 12 }, (_, i) => channelIndex(channelAxis(shape, layout), i));
  t.strictSame(of([3, 2, 2], "chw"), [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
  t.strictSame(of([2, 2, 3], "hwc"), [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
  t.strictSame(of([12], "any"), new Array(12).fill(0));
  t.strictSame(channelAxis([], "any"), { channels: 1, stride: 1 });
});

t.test("elements as float32 and back, for every dtype", async (t) => {
  const scratch = new Float32Array(8);
  const float = createTensor("float32", [4], Float32Array.of(1, 2, 3, 4));
  const view = readFloat32(float, 1, 3, scratch);
  t.strictSame([...view], [2, 3]);
  t.equal(view.buffer, float.data.buffer, "float32 is not copied");

  const wild = Float32Array.of(-1e9, -1.5, 0.5, 1.49, 300, 1e10, Number.NaN);
  const written = (dtype: "float32" | "float16" | "uint8" | "int8" | "int32") => {
    const tensor = createTensor(dtype, [8]);
    writeFloat32(tensor, 1, wild);
    return [...tensor.data];
  };
  t.strictSame(written("uint8"), [0, 0, 0, 1, 1, 255, 255, 0]);
  t.strictSame(written("int8"), [0, -128, -1, 1, 1, 127, 127, 0]);
  t.strictSame(written("int32"), [0, -1e9, -1, 1, 1, 300, 2147483647, 0]);
  t.strictSame(written("float32"), [0, ...wild]);
  t.strictSame(written("float16"), [0, 0xfbff, 0xbe00, 0x3800, 0x3df6, 0x5cb0, 0x7bff, 0x7e00]);
  const halves = createTensor("float16", [3], Uint16Array.of(0x3c00, 0xc000, 0x3800));
  t.strictSame([...readFloat32(halves, 1, 3, scratch)], [-2, 0.5]);
});

t.test("PSNR", async (t) => {
  // R = 4, MSE = 1/4: 10 log10(16 * 4)
  const reference = Float32Array.of(0, 1, 2, 4);
  t.ok(Math.abs(psnr(reference, Float32Array.of(0, 2, 2, 4)) - 10 * Math.log10(64)) < 1e-12);
  t.equal(psnr(reference, reference.slice()), Number.POSITIVE_INFINITY);
  t.throws(() => psnr(reference, new Float32Array(3)), { name: "TensorError", field: "other" });
  t.throws(() => psnr(new Float32Array(0), new Float32Array(0)), { name: "TensorError", field: "reference" });
});
