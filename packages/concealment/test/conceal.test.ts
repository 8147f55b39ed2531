import { conceal, concealmentMethods, needsStatistics, parseConcealmentMethod } from "@sluice/concealment";
import { type CutStatistics, channelAxis, channelIndex, createTensor, type Tensor } from "@sluice/tensor";
import fc from "fast-check";
import t from "tap";

const seed = Number(process.env.SLUICE_SEED ?? 20261123);
t.comment(`seed ${seed}`);

const chw = (shape: number[], ...values: number[]) =>
  createTensor("float32", shape, Float32Array.from(values), "chw");
const mask = (...missing: number[]) => Uint8Array.from(missing);

function statisticsOf(tensor: Tensor, channelMean: number[]): CutStatistics {
  return {
    cut: "cut",
    shape: tensor.shape,
    samples: 1,
    channelMean: Float32Array.from(channelMean),
    channelDeviation: new Float32Array(channelMean.length),
    meanElement: Float32Array.from(tensor.data, (_, i) => 100 + i),
  };
}

t.test("zero", async (t) => {
  const tensor = chw([2, 1, 2], 1, 2, 3, 4);
  conceal(tensor, mask(1, 0, 0, 1), "zero");
  t.strictSame([...tensor.data], [0, 2, 3, 0]);
});

t.test("channel mean, of what came of the channel", async (t) => {
  const tensor = chw([2, 1, 3], 1, 3, 99, 5, 99, 99);
  conceal(tensor, mask(0, 0, 1, 0, 1, 1), "channel-mean");
  t.strictSame([...tensor.data], [1, 3, 2, 5, 5, 5]);
  const hwc = createTensor("float32", [1, 3, 2], Float32Array.of(1, 5, 3, 99, 99, 99), "hwc");
  conceal(hwc, mask(0, 0, 0, 1, 1, 1), "channel-mean");
  t.strictSame([...hwc.data], [1, 5, 3, 5, 2, 5]);
  const flat = createTensor("float32", [4], Float32Array.of(1, 2, 99, 6));
  conceal(flat, mask(0, 0, 1, 0), "channel-mean");
  t.strictSame([...flat.data], [1, 2, 3, 6]);
});

t.test("a channel of which nothing came", async (t) => {
  const missing = mask(0, 0, 1, 1);
  const known = chw([2, 1, 2], 1, 3, 0, 0);
  conceal(known, missing, "channel-mean", { statistics: statisticsOf(known, [7, 8]) });
  t.strictSame([...known.data], [1, 3, 8, 8], "the statistics' mean");
  const unknown = chw([2, 1, 2], 1, 3, 0, 0);
  conceal(unknown, missing, "channel-mean");
  t.strictSame([...unknown.data], [1, 3, 2, 2], "the mean of all that came");
  const nothing = chw([2, 1, 2], 9, 9, 9, 9);
  conceal(nothing, mask(1, 1, 1, 1), "channel-mean");
  t.strictSame([...nothing.data], [0, 0, 0, 0], "zero where nothing came at all");
});

t.test("data-set mean", async (t) => {
  const tensor = chw([2, 1, 2], 1, 2, 3, 4);
  conceal(tensor, mask(0, 1, 0, 1), "data-set-mean", { statistics: statisticsOf(tensor, [0, 0]) });
  t.strictSame([...tensor.data], [1, 101, 3, 103]);
});

t.test("numbers that are none do not spread", async (t) => {
  const tensor = chw([1, 1, 5], 1, Number.NaN, 3, Number.POSITIVE_INFINITY, 0);
  conceal(tensor, mask(0, 0, 0, 0, 1), "channel-mean");
  t.strictSame([...tensor.data], [1, Number.NaN, 3, Number.POSITIVE_INFINITY, 2]);
});

t.test("other dtypes: what came stays bit for bit, means are rounded", async (t) => {
  const words = createTensor("int32", [3], Int32Array.of(2 ** 30 + 1, 2 ** 30 + 1, 0));
  conceal(words, mask(0, 0, 1), "channel-mean");
  t.strictSame([...words.data], [2 ** 30 + 1, 2 ** 30 + 1, 2 ** 30]);
  const image = createTensor("uint8", [1, 1, 3], Uint8Array.of(1, 2, 0), "hwc");
  conceal(image, mask(0, 0, 1), "channel-mean", { statistics: statisticsOf(image, [9, 9, 9]) });
  t.strictSame([...image.data], [1, 2, 9]);
  const halves = createTensor("float16", [3], Uint16Array.of(0x3c00, 0x7e01, 0));
  conceal(halves, mask(0, 0, 1), "channel-mean");
  t.strictSame([...halves.data], [0x3c00, 0x7e01, 0x3c00]);
});

t.test("whatever is missing, what came stays and a mean lies within what came", async () => {
  const value = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 });
  const values = fc.array(value, { minLength: 24, maxLength: 24 });
  const lost = fc.array(fc.boolean(), { minLength: 24, maxLength: 24 });
  fc.assert(
    fc.property(values, lost, fc.boolean(), (values, lost, isChw) => {
      const layout = isChw ? "chw" : "hwc";
      const shape = [4, 2, 3];
      const tensor = createTensor("float32", shape, Float32Array.from(values), layout);
      const missing = Uint8Array.from(lost, Number);
      conceal(tensor, missing, "channel-mean");
      const axis = channelAxis(shape, layout);
      const came = values.filter((_, i) => !lost[i]);
      return [...tensor.data].every((got, i) => {
        if (!lost[i]) return Object.is(got, values[i]);
        const own = values.filter((_, k) => !lost[k] && channelIndex(axis, k) === channelIndex(axis, i));
        const of = own.length > 0 ? own : came;
        const mean = of.length > 0 ? of.reduce((sum, x) => sum + x, 0) / of.length : 0;
        return Math.abs(got - mean) < 1e-3;
      });
    }),
    { seed, numRuns: 500 },
  );
});

t.test("what does not fit is refused by name", async (t) => {
  const tensor = chw([2, 1, 2], 1, 2, 3, 4);
  const missing = mask(1, 0, 0, 0);
  const good = statisticsOf(tensor, [0, 0]);
  t.throws(() => conceal(tensor, mask(1), "zero"), { name: "TensorError", field: "missing" });
  t.throws(() => conceal(tensor, missing, "data-set-mean"), { name: "TensorError", field: "statistics" });
  t.throws(
    () => conceal(tensor, missing, "zero", { statistics: { ...good, meanElement: new Float32Array(3) } }),
    {
      name: "TensorError",
      field: "statistics.meanElement",
    },
  );
  t.throws(
    () => conceal(tensor, missing, "zero", { statistics: { ...good, channelMean: new Float32Array(3) } }),
    {
      name: "TensorError",
      field: "statistics.channelMean",
    },
  );
  t.strictSame([...tensor.data], [1, 2, 3, 4], "and changes nothing");
});

t.test("methods by name", async (t) => {
  for (const method of concealmentMethods) t.equal(parseConcealmentMethod(method), method);
  t.strictSame(concealmentMethods.filter(needsStatistics), ["data-set-mean", "hybrid", "inter-channel"]);
  t.throws(() => parseConcealmentMethod("mean"), {
    name: "TensorError",
    message:
      'concealment: unknown method "mean" (known: auto, zero, channel-mean, data-set-mean, hybrid, spatial, inter-channel, temporal)',
  });
});
