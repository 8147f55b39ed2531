import { type EncodedSlice, parseCodec, prepareCodec, type TensorEncoder } from "@sluice/codec";
import {
  bundleSpec,
  createTensor,
  elementCount,
  packTensors,
  sliceRange,
  type Tensor,
  TensorError,
  unpackTensors,
} from "@sluice/tensor";
import t from "tap";
import { bytesOf } from "./measure.js";
import { waveTensor } from "./wave-tensor.js";

/** Two feature maps of other ranges, numbers of a vocabulary, and a mask of bytes, so that floats begin anywhere. */
function createParts(moved = 0): Tensor[] {
  const wide = waveTensor("float32", [8, 14, 14], "chw", moved + 1) as Tensor<"float32">;
  const narrow = waveTensor("float32", [3, 10, 9], "chw", moved + 2) as Tensor<"float32">;
  for (let i = 0; i < narrow.data.length; i++) narrow.data[i] = 0.001 * narrow.data[i]! + 7;
  return [
    wide,
    createTensor("uint8", [5], Uint8Array.of(1, 0, 1, 1, 0)),
    narrow,
    createTensor(
      "int32",
      [60],
      Int32Array.from({ length: 60 }, (_, i) => 7919 * i - 3),
    ),
  ];
}

const codecs = [
  "raw",
  "quantize:levels=32,clip=6",
  "quantize:levels=16,clip=4 | entropy",
  "transform:block=4 | quantize:levels=64,clip=8 | entropy",
  "transform | quantize:levels=16",
  "quantize:levels=256,clip=4 | tile | jpeg:quality=90",
];

function decode(
  decoder: ReturnType<ReturnType<typeof parseCodec>["createDecoder"]>,
  slices: readonly EncodedSlice[],
  frame?: number,
) {
  const partial = decoder.begin(frame);
  const faults = slices.map(({ index, count, payload }) => partial.add(index, count, payload));
  return { ...partial.finish(), faults };
}

/** What a tensor becomes that travels alone. */
async function alone(tensor: Tensor, text: string, maxPayloadBytes: number) {
  const codec = await prepareCodec(text);
  const { slices } = codec.createEncoder(tensor).encode(tensor, maxPayloadBytes);
  return { slices, ...decode(codec.createDecoder(tensor), slices) };
}

for (const text of codecs) {
  t.test(
    `sluice/6.14/3: ${text}: each tensor is what it is alone, and whole numbers stay as they are`,
    async (t) => {
      const codec = await prepareCodec(text);
      const parts = createParts();
      const bundle = packTensors(parts);
      t.match(bundle, { dtype: "uint8" });
      const encoder = codec.createEncoder(bundle);
      const decoder = codec.createDecoder(bundle);
      t.equal(decoder.units, encoder.units);
      const single = await Promise.all(
        parts.map((part) => alone(part, part.dtype === "float32" ? text : "raw", 300)),
      );
      for (const frame of [0, 1]) {
        const { slices } = encoder.encode(bundle, 300, { frame });
        for (const { payload } of slices) t.ok(payload.length <= 300);
        const decoded = decode(decoder, slices, frame);
        t.equal(decoded.missingCount, 0);
        const got = unpackTensors(decoded.tensor, parts);
        const isPicture = text.includes("jpeg");
        for (const [i, { tensor }] of single.entries()) {
          // What a picture loses depends on the picture, and so on where it is cut.
          if (isPicture && parts[i]!.dtype === "float32") continue;
          t.same(got[i], tensor, `tensor ${i}`);
        }
        const [total, count] = [single.flatMap(({ slices }) => slices), slices.length];
        t.ok(bytesOf(slices) <= 1.1 * bytesOf(total) + 40, `${bytesOf(slices)} of ${bytesOf(total)} bytes`);
        t.ok(count <= 1.3 * total.length + parts.length, `${count} of ${total.length} slices`);
      }
    },
  );
}

t.test("sluice/6.14/3: what is lost of one tensor is lost of no other, and the mask says so", async (t) => {
  const codec = parseCodec("quantize:levels=32,clip=6 | entropy");
  const parts = createParts();
  const bundle = packTensors(parts);
  const { slices } = codec.createEncoder(bundle, undefined, "checkerboard").encode(bundle, 200);
  const decoder = codec.createDecoder(bundle, undefined, "checkerboard");
  const whole = decode(decoder, slices);
  const starts = parts.map((_, i) => parts.slice(0, i).reduce((sum, { data }) => sum + data.byteLength, 0));
  const widths = parts.map(({ data }) => data.BYTES_PER_ELEMENT);
  for (const [lost, { index, count }] of slices.entries()) {
    const got = decode(
      decoder,
      slices.filter((_, i) => i !== lost),
    );
    const { first, end } = sliceRange(index, count, decoder.units);
    let unit = 0;
    let expected = 0;
    for (const [i, { data }] of parts.entries()) {
      const own = Math.max(0, Math.min(end, unit + data.length) - Math.max(first, unit));
      const [from, to] = [starts[i]!, starts[i]! + data.byteLength];
      const missing = got.missing.subarray(from, to).reduce((sum, flag) => sum + flag, 0);
      t.equal(missing, own * widths[i]!, `slice ${lost}, tensor ${i}`);
      expected += missing;
      unit += data.length;
    }
    t.equal(got.missingCount, expected);
    const [values, all] = [got.tensor.data, whole.tensor.data];
    t.ok(
      got.missing.every((flag, i) => values[i] === (flag ? 0 : all[i])),
      "what came is there, what did not is 0",
    );
  }
});

t.test("sluice/6.14/4: a slice across tensors says how long what it holds of each is", async (t) => {
  const parts = [
    createTensor("int32", [2], Int32Array.of(1, -2)),
    createTensor("uint8", [3], Uint8Array.of(7, 8, 9)),
    createTensor("int8", [1], Int8Array.of(-1)),
  ];
  const bundle = packTensors(parts);
  const codec = parseCodec("raw");
  const encoder = codec.createEncoder(bundle);
  t.equal(encoder.units, 6);
  const { slices } = encoder.encode(bundle, 100);
  t.same(
    slices.map(({ index, count, payload }) => [index, count, Buffer.from(payload).toString("hex")]),
    [[0, 1, "08000000" + "01000000feffffff" + "03000000" + "070809" + "ff"]],
  );
  const decoder = codec.createDecoder(bundle);
  for (const hex of [
    "0800000001000000feffffff03000000070809", // nothing of the last
    "0800000001000000feffffff04000000070809ff", // a byte of the last in the one before
    "ff00000001000000feffffff03000000070809ff",
    "080000",
    "",
  ]) {
    const got = decode(decoder, [{ index: 0, count: 1, payload: Buffer.from(hex, "hex") }]);
    t.same(got.faults, ["payload-length"], hex);
  }
  t.same(decode(decoder, [{ index: 6, count: 6, payload: Buffer.of(1) }]).faults, ["range"]);
});

t.test("slices split where the path's datagrams shrink, also of a frame before the last one", (t) => {
  const codec = parseCodec("quantize:levels=16,clip=4 | entropy");
  const [first, second] = [packTensors(createParts()), packTensors(createParts(3))];
  const encoder = codec.createEncoder(first);
  const decoder = codec.createDecoder(first);
  const early = encoder.encode(first, 600);
  encoder.encode(second, 600);
  const smaller = early.slices.flatMap((slice) => early.split(slice, 90));
  t.ok(smaller.length > early.slices.length && smaller.every(({ payload }) => payload.length <= 90));
  t.same(decode(decoder, smaller).tensor, decode(decoder, early.slices).tensor);
  t.throws(() => encoder.encode(first, 3), TensorError);
  t.throws(
    () => encoder.encode(createParts()[0]!, 600),
    new TensorError("tensor.dtype", "float32, the stream's is uint8"),
  );
  t.end();
});

function acknowledgeAll(encoder: TensorEncoder, bundle: Tensor, frame: number) {
  const { slices } = encoder.encode(bundle, 1_000, { frame });
  encoder.acknowledge?.(frame);
  return slices;
}

t.test("each tensor is predicted from its own frame before, and another decoder goes on", (t) => {
  const codec = parseCodec("quantize:levels=32,clip=6 | predict | entropy");
  const bundle = packTensors(createParts());
  const encoder = codec.createEncoder(bundle);
  const decoder = codec.createDecoder(bundle);
  const alone = acknowledgeAll(encoder, bundle, 0);
  const expected = decode(decoder, alone, 0).tensor;
  const predicted = acknowledgeAll(encoder, bundle, 1);
  t.ok(bytesOf(predicted) < 0.5 * bytesOf(alone), `${bytesOf(predicted)} of ${bytesOf(alone)} bytes`);
  const heir = codec.createDecoder(bundle);
  heir.restore!(decoder.references!());
  for (const one of [decoder, heir]) t.same(decode(one, predicted, 1).tensor, expected);
  t.match(decode(codec.createDecoder(bundle), predicted, 1).faults, ["parameter"]);
  t.throws(() => heir.restore!([{ frame: 0, values: new Float32Array(3) }]), TensorError);
  t.end();
});

t.test("sluice/6.14/1: a spec that is not that of the bundle of its parts makes no encoder", (t) => {
  const codec = parseCodec("quantize");
  const parts = createParts();
  const spec = bundleSpec(parts);
  for (const wrong of [
    { ...spec, shape: [elementCount(spec.shape) + 1] },
    { ...spec, dtype: "int8" as const },
    { ...spec, parts: parts.slice(0, 1) },
    { ...spec, parts: [spec, parts[0]!] },
    { ...spec, parts: [{ ...parts[0]!, shape: [0] }, ...parts.slice(1)] },
  ]) {
    t.throws(() => codec.createEncoder(wrong), { name: "TensorError", field: "parts" });
    t.throws(() => codec.createDecoder(wrong), { name: "TensorError", field: "parts" });
  }
  t.throws(() => parseCodec("sluice").createEncoder(spec), /takes one tensor, and this is a bundle of 4/);
  t.end();
});

t.test(
  "a page leaves the code for bundles out where its streams have none, and is told where one has",
  async (t) => {
    const codec = await prepareCodec("quantize", { isBundle: false });
    t.throws(() => codec.createEncoder(packTensors(createParts())), {
      name: "TensorError",
      message: /^parts: .*prepare it with `isBundle`/,
    });
    const [single] = createParts();
    t.ok(codec.createEncoder(single!).units > 0);
  },
);
