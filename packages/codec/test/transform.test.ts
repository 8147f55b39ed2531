import {
  type EncodedSlice,
  entropy,
  parseCodec,
  pipe,
  predict,
  quantize,
  raw,
  transform,
} from "@sluice/codec";
import { createTensor, elementCount, type Layout, type Tensor, type TensorSpec } from "@sluice/tensor";
import t from "tap";
import { bytesOf, meanSquare } from "./measure.js";
import { waveTensor } from "./wave-tensor.js";

function receive(spec: TensorSpec, text: string, slices: readonly EncodedSlice[]) {
  const partial = parseCodec(text).createDecoder(spec).begin();
  for (const { index, count, payload } of slices) t.equal(partial.add(index, count, payload), undefined);
  return partial.finish();
}

function largestDifference(a: Tensor, b: Tensor): number {
  let most = 0;
  for (let i = 0; i < a.data.length; i++) most = Math.max(most, Math.abs(a.data[i]! - b.data[i]!));
  return most;
}

const shapes: [number[], Layout][] = [
  [[], "any"],
  [[1], "any"],
  [[13], "any"],
  [[3, 5], "any"],
  [[2, 3, 5, 4], "any"],
  [[1, 1, 1], "chw"],
  [[5, 1, 9], "chw"],
  [[3, 9, 1], "hwc"],
  [[7, 13, 6], "hwc"],
  [[6, 12, 12], "chw"],
];

t.test("coefficients give the elements back, in slices of any size and any subset of them", async (t) => {
  for (const [shape, layout] of shapes) {
    for (const block of [2, 3, 4, 8]) {
      const tensor = waveTensor("float32", shape, layout) as Tensor;
      const text = `transform:block=${block} | raw`;
      const largest = Math.max(...Array.from(tensor.data, Math.abs));
      for (const maxPayloadBytes of [4 * block * block, 1000]) {
        const { slices } = parseCodec(text).createEncoder(tensor).encode(tensor, maxPayloadBytes);
        const { tensor: back, missingCount } = receive(tensor, text, slices.toReversed());
        const name = `[${shape}] ${layout}, blocks of ${block}, ${slices.length} slices`;
        t.ok(missingCount === 0 && largestDifference(tensor, back) <= largest * 2 ** -12, name);
        const some = receive(tensor, text, slices.slice(1));
        const expected = [...back.data].map((value, i) => (some.missing[i] ? 0 : value));
        t.same([...some.tensor.data], expected, "a lost slice loses its own blocks");
      }
    }
  }
});

t.test("a smooth tensor at a coarse step takes less than its elements do, and is nearer", async (t) => {
  const tensor = createTensor("float32", [8, 28, 28], undefined, "chw");
  for (let i = 0; i < tensor.data.length; i++) {
    tensor.data[i] = 3 * Math.sin(i / 9) + 2 * Math.cos(Math.floor(i / 28) / 5) + ((i * 7919) % 11) / 10;
  }
  const [own, other] = [
    "transform | quantize:levels=12,clip=100 | entropy",
    "quantize:levels=6,clip=100 | entropy",
  ].map((text) => {
    const { slices } = parseCodec(text).createEncoder(tensor).encode(tensor, 1000);
    return { bytes: bytesOf(slices), error: meanSquare(tensor, receive(tensor, text, slices).tensor) };
  });
  t.ok(own!.bytes < 0.7 * other!.bytes && own!.error < other!.error, JSON.stringify({ own, other }));
});

t.test("what is near 0 becomes 0: one of the levels is that", async (t) => {
  const tensor = createTensor("float32", [1, 8, 8], new Float32Array(64).fill(0.01), "chw");
  tensor.data[0] = 7;
  tensor.data[63] = -3;
  const text = "transform:block=2 | quantize:levels=6,clip=100";
  const { slices } = parseCodec(text).createEncoder(tensor).encode(tensor, 1000);
  const { data } = receive(tensor, text, slices).tensor;
  t.ok(data.filter((value) => value === 0).length >= 64 - 8, "all blocks but two");
});

t.test("predicted from frame to frame, and other dtypes", async (t) => {
  const spec: TensorSpec<"uint8"> = { dtype: "uint8", shape: [3, 10, 10], layout: "chw" };
  const codec = pipe(transform(), quantize({ levels: 200, clip: 100 }), predict(), entropy());
  const encoder = codec.createEncoder(spec);
  const decoder = codec.createDecoder(spec);
  for (let frame = 0; frame < 3; frame++) {
    const tensor = createTensor("uint8", spec.shape, undefined, "chw");
    for (let i = 0; i < 300; i++) tensor.data[i] = 100 + ((i * 31) % 90) + frame;
    const { slices } = encoder.encode(tensor, 500, { frame });
    const partial = decoder.begin(frame);
    for (const { index, count, payload } of slices) t.equal(partial.add(index, count, payload), undefined);
    const back = partial.finish().tensor;
    // Four coefficients of a step of 4 at most, half of it off.
    t.ok(largestDifference(tensor, back) <= 16, `frame ${frame}: off by ${largestDifference(tensor, back)}`);
    encoder.acknowledge?.(frame);
  }
});

t.test("NaN, infinities and the largest numbers stay within what there is", async (t) => {
  const tensor = createTensor("float32", [1, 4, 4], undefined, "chw");
  tensor.data.set([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38, -3e38, 1, 2, 3]);
  for (const end of [raw(), quantize({ levels: 16 })]) {
    const codec = pipe(transform(), end as ReturnType<typeof raw>);
    const { slices } = codec.createEncoder(tensor).encode(tensor, 1000);
    t.ok(receive(tensor, codec.text, slices).tensor.data.every(Number.isFinite), codec.text);
  }
  // A peer may send anything as coefficients.
  const payload = new Uint8Array(new Float32Array(elementCount(tensor.shape)).fill(3.4e38).buffer);
  const partial = pipe(transform(), raw()).createDecoder(tensor).begin();
  t.equal(partial.add(0, 1, payload), undefined);
  t.ok(partial.finish().tensor.data.every(Number.isFinite));
});

t.test("what does not fit is refused and named", async (t) => {
  const spec: TensorSpec = { dtype: "float32", shape: [1, 8, 8], layout: "chw" };
  for (const [text, message] of [
    [
      "transform | quantize:per=channel",
      /codec.quantize.per: channel is for elements; behind transform use per=tensor/,
    ],
    [
      "transform | quantize | tile | jpeg",
      /codec.tile: makes pictures of elements; behind transform end with entropy/,
    ],
    ["transform | integers", /codec.integers: takes uint8 and int8, the tensor is float32/],
  ] as const) {
    t.throws(() => parseCodec(text).createDecoder(spec), message, text);
  }
  t.throws(() => transform({ block: 9 }), /codec.transform.block: must be an integer from 2 to 8/);
  t.throws(
    () => parseCodec("quantize | transform"),
    /codec.transform: takes tensor and cannot stand behind quantize/,
  );
  t.throws(
    () => parseCodec("transform"),
    /the chain ends with transform, which gives tensor; add transform, raw, quantize/,
  );
});
