import { parseCodec } from "@sluice/codec";
import {
  type CutStatistics,
  createStatisticsAccumulator,
  createTensor,
  elementCount,
  encodeFloat16Array,
  type Layout,
  momentsOf,
  psnr,
  type Tensor,
} from "@sluice/tensor";
import fc from "fast-check";
import t from "tap";

const seed = Number(process.env.SLUICE_SEED ?? 20261123);
t.comment(`seed ${seed}`);

function roundTrip<D extends Tensor["dtype"]>(
  text: string,
  tensor: Tensor<D>,
  statistics?: CutStatistics,
  maxPayloadBytes = 1150,
): Tensor<D>["data"] {
  const codec = parseCodec(text);
  const partial = codec.createDecoder(tensor, statistics).begin();
  const { slices } = codec.createEncoder(tensor, statistics).encode(tensor, maxPayloadBytes);
  for (const { index, count, payload } of slices) {
    const fault = partial.add(index, count, payload);
    if (fault !== undefined) throw new Error(`slice ${index} of ${count} was refused: ${fault}`);
  }
  if (partial.finish().missingCount > 0) throw new Error("elements are missing");
  return partial.finish().tensor.data as Tensor<D>["data"];
}

const float = (...values: number[]) => createTensor("float32", [values.length], Float32Array.from(values));

t.test(
  "within the range an element moves by at most half a step; beyond it goes to the nearest end",
  async () => {
    const value = fc.oneof(
      fc.float({ noNaN: true, noDefaultInfinity: true, min: -100, max: 100 }),
      fc.float({ noNaN: true, noDefaultInfinity: true }),
    );
    const levels = fc.oneof(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 2, max: 65536 }));
    const clip = fc.constantFrom(0.5, 1, 3, 100);
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 80 }), levels, clip, (values, levels, clip) => {
        const tensor = float(...values);
        const got = roundTrip(`quantize:levels=${levels},clip=${clip}`, tensor);
        const { mean, deviation, minimum, maximum } = momentsOf(tensor.data);
        const bounded = (x: number) => Math.min(1.5e38, Math.max(-1.5e38, x));
        const low = bounded(Math.max(mean - clip * deviation, minimum));
        const high = bounded(Math.min(mean + clip * deviation, maximum));
        const step = (high - low) / (levels - 1);
        // low and step are rounded to float32, and so is what comes out.
        const rounding = (Math.abs(low) + Math.abs(high)) * 2 ** -22 + levels * 2 ** -149;
        return tensor.data.every((x, i) => {
          const nearest = Math.min(high, Math.max(low, x));
          return Math.abs(got[i]! - nearest) <= step / 2 + rounding;
        });
      }),
      { seed, numRuns: 1500 },
    );
  },
);

t.test("golden bytes", async (t) => {
  const bytes = (text: string, tensor: Tensor, statistics?: CutStatistics) =>
    parseCodec(text)
      .createEncoder(tensor, statistics)
      .encode(tensor, 1000)
      .slices.map(({ payload }) => Buffer.from(payload).toString("hex"))
      .join(" ");
  // low = 0, step = 1 in float32; then the symbols
  t.equal(bytes("quantize:levels=4,clip=100", float(0, 1, 2, 3, 1.5)), "000000000000803fe402");
  t.equal(bytes("quantize:levels=16,clip=3", float(0, 15, 7, 8)), "000000000000803ff087");
  // 0 + 1 * 3 + 2 * 9 = 21
  t.equal(bytes("quantize:levels=3,clip=3", float(-1, 0, 1)), "000080bf0000803f15");
  const statistics: CutStatistics = {
    cut: "x",
    shape: [2, 1, 2],
    samples: 1,
    channelMean: Float32Array.of(0, 10),
    channelDeviation: Float32Array.of(1, 2),
    meanElement: new Float32Array(4),
  };
  const tensor = createTensor("float32", [2, 1, 2], Float32Array.of(-3, 3, 10, 15));
  // levels -3, -1, 1, 3 and 4, 8, 12, 16: symbols 0, 3, 2 (halves upwards), 3
  t.equal(bytes("quantize:levels=4,clip=3,per=channel", tensor, statistics), "ec");
});

t.test("what has no spread stays as it is", async (t) => {
  for (const levels of [2, 7, 16, 65536]) {
    const text = `quantize:levels=${levels}`;
    t.strictSame([...roundTrip(text, float(2.5, 2.5, 2.5))], [2.5, 2.5, 2.5], "constant");
    t.strictSame([...roundTrip(text, float(-7))], [-7], "one element");
    t.strictSame([...roundTrip(text, createTensor("float32", [], Float32Array.of(3)))], [3], "a scalar");
    t.strictSame([...roundTrip(text, createTensor("float32", [1, 1, 1], Float32Array.of(3)))], [3]);
    t.strictSame([...roundTrip(text, float(0, 0))], [0, 0]);
  }
});

t.test("NaN goes to the level nearest to the mean, infinities to the ends", async (t) => {
  const { NaN: nan, POSITIVE_INFINITY: up, NEGATIVE_INFINITY: down } = Number;
  t.strictSame([...roundTrip("quantize:levels=5", float(0, 4, nan, up, down, 2))], [0, 4, 2, 4, 0, 2]);
  t.strictSame([...roundTrip("quantize:levels=5", float(nan, up, down))], [0, 0, 0], "nothing finite");
  t.strictSame([...roundTrip("quantize:levels=5", float(3, nan, up, down, 3))], [3, 3, 3, 3, 3]);
  const huge = roundTrip("quantize:levels=2,clip=100", float(-3.4e38, 3.4e38));
  t.ok(huge.every(Number.isFinite), "the largest numbers do not overflow");
  for (const value of [3.4e38, -3.4e38]) {
    const [got] = roundTrip("quantize:levels=2", float(value));
    t.equal(got, Math.fround(Math.sign(value) * 1.5e38), "levels end at 1.5e38");
  }
});

t.test("activations behind a ReLU keep their zeros exactly", async (t) => {
  const tensor = float(...Array.from({ length: 500 }, (_, i) => Math.max(0, Math.sin(i * 1.3) * 3 - 1)));
  const got = roundTrip("quantize:levels=7", tensor);
  t.ok(tensor.data.every((x, i) => x !== 0 || got[i] === 0));
});

function wave(shape: number[], layout: Layout, phase: number): Tensor<"float32"> {
  const channels = layout === "chw" ? shape[0]! : shape[2]!;
  const data = Float32Array.from({ length: elementCount(shape) }, (_, i) => {
    const channel = layout === "chw" ? Math.floor(i / (shape[1]! * shape[2]!)) : i % channels;
    return channel * 10 + (1 + channel) * Math.sin(i * 1.7 + phase);
  });
  return createTensor("float32", shape, data, layout);
}

t.test("a range for each channel comes from the statistics, costs no bytes and is better", async (t) => {
  for (const [shape, layout] of [[[8, 5, 9], "chw"] as const, [[5, 9, 8], "hwc"] as const]) {
    const accumulator = createStatisticsAccumulator("cut", shape, layout);
    for (let phase = 0; phase < 10; phase++) accumulator.add(wave([...shape], layout, phase).data);
    const statistics = accumulator.finish();
    const tensor = wave([...shape], layout, 0.5);
    const perChannel = roundTrip("quantize:levels=16,per=channel", tensor, statistics, 40);
    const perTensor = roundTrip("quantize:levels=16,per=tensor", tensor, statistics, 40);
    const gain = psnr(tensor.data, perChannel) - psnr(tensor.data, perTensor);
    t.comment(`${layout}: ${gain.toFixed(1)} dB`);
    t.ok(gain > 6, layout);
    const { channelMinimum, channelMaximum, ...bare } = statistics;
    t.ok(channelMinimum !== undefined && channelMaximum !== undefined);
    const unbounded = roundTrip("quantize:levels=16,per=channel", tensor, bare, 40);
    t.ok(psnr(tensor.data, unbounded) > psnr(tensor.data, perTensor), "without known ranges, too");
    const codec = parseCodec("quantize:levels=16,per=channel");
    const [slice] = codec.createEncoder(tensor, statistics).encode(tensor, 1e6).slices;
    t.equal(slice!.payload.length, 360 / 2);
  }
});

t.test("statistics that do not fit are refused by name", async (t) => {
  const tensor = wave([2, 2, 2], "chw", 0);
  const accumulator = createStatisticsAccumulator("cut", [2, 2, 2]);
  accumulator.add(tensor.data);
  const good = accumulator.finish();
  const codec = parseCodec("quantize:per=channel");
  const refused: [CutStatistics | undefined, string][] = [
    [undefined, "statistics"],
    [{ ...good, shape: [2, 4] }, "statistics.shape"],
    [{ ...good, channelMean: new Float32Array(3) }, "statistics.channelMean"],
    [{ ...good, channelDeviation: Float32Array.of(1, Number.NaN) }, "statistics.channelDeviation"],
    [{ ...good, channelMaximum: Float32Array.of(1) }, "statistics.channelMaximum"],
  ];
  for (const [statistics, field] of refused) {
    t.throws(() => codec.createEncoder(tensor, statistics), { name: "TensorError", field });
    t.throws(() => codec.createDecoder(tensor, statistics), { name: "TensorError", field });
  }
  t.doesNotThrow(() => parseCodec("quantize").createEncoder(tensor), "per=tensor needs none");
});

t.test("other dtypes go through float32 and come back as themselves", async (t) => {
  const ramp = Array.from({ length: 256 }, (_, i) => i);
  const image = createTensor("uint8", [256], Uint8Array.from(ramp));
  t.strictSame(
    roundTrip("quantize:levels=256,clip=100", image),
    image.data,
    "uint8 with 256 levels is exact",
  );
  const bytes = createTensor(
    "int8",
    [256],
    Int8Array.from(ramp, (i) => i - 128),
  );
  t.strictSame(roundTrip("quantize:levels=256,clip=100", bytes), bytes.data);
  const words = createTensor(
    "int32",
    [256],
    Int32Array.from(ramp, (i) => i * 1000),
  );
  t.strictSame(roundTrip("quantize:levels=256,clip=100", words), words.data);
  const halves = createTensor("float16", [256], encodeFloat16Array(Float32Array.from(ramp, (i) => i / 4)));
  t.strictSame(roundTrip("quantize:levels=256,clip=100", halves), halves.data);
  const coarse = roundTrip("quantize:levels=16,clip=3", image);
  t.ok(
    image.data.every((x, i) => Math.abs(x - coarse[i]!) <= 9),
    "half a step of 17, rounded",
  );
});

t.test("an encoder's slices outlive its next tensor", async (t) => {
  const codec = parseCodec("quantize:levels=16");
  const encoder = codec.createEncoder(float(0, 15));
  const first = encoder.encode(float(0, 15), 100).slices;
  const before = [...first[0]!.payload];
  encoder.encode(float(-4, 3), 100);
  t.strictSame([...first[0]!.payload], before);
  const decoder = codec.createDecoder(float(0, 15));
  const [a, b] = [decoder.begin(), decoder.begin()];
  a.add(0, 1, first[0]!.payload);
  b.add(0, 1, encoder.encode(float(-4, 3), 100).slices[0]!.payload);
  t.strictSame([...a.finish().tensor.data], [0, 15], "and tensors of one decoder do not share elements");
  t.strictSame([...b.finish().tensor.data], [-4, 3]);
});
