/** What is no ordinary tensor, through every chain: NaN, infinities, no spread, one element, axes of 1. */
import { parseCodec, prepareCodec } from "@sluice/codec";
import {
  createStatisticsAccumulator,
  createTensor,
  elementCount,
  type Layout,
  type Tensor,
} from "@sluice/tensor";
import t from "tap";
import { waveTensor } from "./wave-tensor.js";

const chains = [
  "raw",
  "quantize:levels=9",
  "quantize:levels=256",
  "quantize:levels=9 | entropy",
  "quantize:levels=200 | entropy",
  "quantize:levels=256 | tile | jpeg:quality=95",
  "quantize:levels=256 | tile:shape=wide | jpeg2000:ratio=2",
  "quantize:levels=256 | tile | htj2k:step=0.005",
];
for (const text of chains) await prepareCodec(text);

function throughChain(text: string, tensor: Tensor): ArrayLike<number> {
  const codec = parseCodec(text);
  const { slices } = codec.createEncoder(tensor).encode(tensor, 1_150);
  const partial = codec.createDecoder(tensor).begin();
  for (const { index, count, payload } of slices) {
    const fault = partial.add(index, count, payload);
    if (fault) throw new Error(`${text}: ${fault}`);
  }
  if (partial.finish().missingCount > 0) throw new Error(`${text}: elements are missing`);
  return partial.finish().tensor.data;
}

const shapes: [number[], Layout][] = [
  [[], "any"],
  [[1], "any"],
  [[1, 1, 1], "chw"],
  [[1, 1, 1], "hwc"],
  [[1, 9, 8], "chw"],
  [[7, 1, 8], "chw"],
  [[7, 9, 1], "hwc"],
  [[1, 1, 30], "hwc"],
  [[2, 1, 3, 4], "any"],
];

t.test("what has no spread stays as it is, in every shape", async (t) => {
  for (const text of chains) {
    for (const [shape, layout] of shapes) {
      for (const value of [0, -7.25, 1e30]) {
        const tensor = createTensor(
          "float32",
          shape,
          new Float32Array(elementCount(shape)).fill(value),
          layout,
        );
        const got = throughChain(text, tensor);
        if (!Array.from(got).every((element) => element === Math.fround(value)))
          t.fail(`${text}, [${shape}] of ${value}`);
      }
    }
    t.pass(text);
  }
});

t.test(
  "NaN and infinities become finite where they are quantized, near the mean and at the ends",
  async (t) => {
    const tensor = waveTensor("float32", [3, 10, 12]) as Tensor<"float32">;
    tensor.data.set([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], 40);
    const finite = tensor.data.filter(Number.isFinite);
    const [low, high] = [Math.min(...finite), Math.max(...finite)];
    for (const text of chains.slice(1)) {
      const got = Array.from(throughChain(text, tensor));
      const slack = 0.3 * (high - low);
      t.ok(
        got.every((value) => Number.isFinite(value) && value >= low - slack && value <= high + slack),
        text,
      );
      t.ok(got[41]! > got[40]! && got[40]! > got[42]!, `${got.slice(40, 43)}`);
    }
    t.strictSame(throughChain("raw", tensor), tensor.data, "raw carries them");
    for (const text of chains.slice(1)) {
      const nothing = createTensor("float32", [2, 3, 4], new Float32Array(24).fill(Number.NaN));
      t.ok(
        Array.from(throughChain(text, nothing)).every((value) => value === 0),
        `${text}: of nothing finite come zeros`,
      );
    }
  },
);

t.test("per=channel goes by the channels, whatever the order of the slices", async (t) => {
  for (const layout of ["chw", "hwc"] as const) {
    const shape = layout === "chw" ? [5, 8, 140] : [8, 140, 5];
    const tensor = waveTensor("float32", shape, layout) as Tensor<"float32">;
    const accumulator = createStatisticsAccumulator("cut", shape, layout);
    accumulator.add(tensor.data);
    const statistics = accumulator.finish();
    const decoded = (text: string) => {
      const codec = parseCodec(text);
      const partial = codec.createDecoder(tensor, statistics).begin();
      for (const { index, count, payload } of codec.createEncoder(tensor, statistics).encode(tensor, 1_150)
        .slices)
        partial.add(index, count, payload);
      return partial.finish().tensor.data;
    };
    const plain = decoded("quantize:levels=64,clip=3,per=channel");
    t.strictSame(decoded("quantize:levels=64,clip=3,per=channel | entropy"), plain, layout);
    const pictured = decoded("quantize:levels=64,clip=3,per=channel | tile | jpeg:quality=100");
    t.ok(
      Array.from(pictured).every((value, i) => Math.abs(value - plain[i]!) < 12),
      layout,
    );
  }
});
