import {
  channelMoments,
  createStatisticsAccumulator,
  decodeStatistics,
  encodeStatistics,
  momentsOf,
} from "@sluice/tensor";
import fc from "fast-check";
import t from "tap";

const seed = Number(process.env.SLUICE_SEED ?? 20261123);
t.comment(`seed ${seed}`);

const close = (a: number, b: number, tolerance = 1e-6) =>
  Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b));

t.test("moments: mean, deviation of the set itself, range", async (t) => {
  t.strictSame(momentsOf(Float32Array.of(2, 4, 4, 4, 5, 5, 7, 9)), {
    count: 8,
    mean: 5,
    deviation: 2,
    minimum: 2,
    maximum: 9,
  });
  const far = momentsOf(Float32Array.from({ length: 1000 }, (_, i) => 1e6 + (i % 2)));
  t.equal(far.mean, 1e6 + 0.5, "far from zero");
  t.equal(far.deviation, 0.5);
  t.match(momentsOf(Float32Array.of(1, Number.NaN, 3, Number.POSITIVE_INFINITY)), {
    count: 2,
    mean: 2,
    deviation: 1,
    maximum: 3,
  });
  t.match(momentsOf(Float32Array.of(Number.NaN)), { count: 0, mean: 0, deviation: 0, minimum: 0 });
  t.match(momentsOf(new Float32Array(0)), { count: 0, mean: 0 });
  t.equal(momentsOf(Float32Array.of(3e38, -3e38)).deviation, Math.fround(3e38), "squares do not overflow");
});

t.test("moments of channels in either layout", async (t) => {
  const chw = Float32Array.of(1, 3, 5, 5, -1, 1);
  const hwc = Float32Array.of(1, 5, -1, 3, 5, 1);
  const expected = [
    { mean: 2, deviation: 1 },
    { mean: 5, deviation: 0 },
    { mean: 0, deviation: 1 },
  ];
  t.match(channelMoments(chw, [3, 1, 2], "chw"), expected);
  t.match(channelMoments(hwc, [1, 2, 3], "hwc"), expected);
  t.equal(channelMoments(chw, [6], "any").length, 1);
  t.throws(() => channelMoments(chw, [7], "any"), { name: "TensorError", field: "data" });
});

t.test("an accumulator gives what all tensors at once give", async () => {
  const value = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
  const tensors = fc.array(fc.array(value, { minLength: 12, maxLength: 12 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(tensors, fc.constantFrom("chw" as const, "hwc" as const), (tensors, layout) => {
      const shape = layout === "chw" ? [3, 2, 2] : [2, 2, 3];
      const accumulator = createStatisticsAccumulator("cut", shape, layout);
      for (const tensor of tensors) accumulator.add(Float32Array.from(tensor));
      const got = accumulator.finish();
      for (let channel = 0; channel < 3; channel++) {
        const all = tensors.flatMap((tensor) =>
          tensor.filter((_, i) => (layout === "chw" ? Math.floor(i / 4) : i % 3) === channel),
        );
        const mean = all.reduce((sum, x) => sum + x, 0) / all.length;
        const deviation = Math.sqrt(all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / all.length);
        if (!close(got.channelMean[channel]!, mean, 1e-5)) return false;
        if (!close(got.channelDeviation[channel]!, deviation, 1e-5)) return false;
        if (got.channelMinimum?.[channel] !== Math.min(...all)) return false;
        if (got.channelMaximum?.[channel] !== Math.max(...all)) return false;
      }
      const element = 7;
      const mean = tensors.reduce((sum, tensor) => sum + tensor[element]!, 0) / tensors.length;
      return close(got.meanElement[element]!, mean, 1e-5) && got.samples === tensors.length;
    }),
    { seed, numRuns: 300 },
  );
});

t.test("an accumulator refuses what it cannot use and stays as it was", async (t) => {
  const accumulator = createStatisticsAccumulator("cut", [2]);
  t.throws(() => accumulator.finish(), { name: "TensorError", field: "samples" });
  accumulator.add(Float32Array.of(1, 3));
  t.throws(() => accumulator.add(Float32Array.of(1)), { name: "TensorError", field: "data" });
  t.throws(() => accumulator.add(Float32Array.of(1, Number.NaN)), { name: "TensorError", field: "tensor" });
  t.match(accumulator.finish(), { cut: "cut", shape: [2], samples: 1 });
  t.strictSame([...accumulator.finish().channelMean], [2]);
  t.strictSame([...accumulator.finish().meanElement], [1, 3]);
});

function sample(layout: "chw" | "hwc", shape: number[]) {
  const accumulator = createStatisticsAccumulator("add_7", shape, layout);
  const length = shape.reduce((a, b) => a * b);
  for (let n = 0; n < 3; n++) {
    accumulator.add(Float32Array.from({ length }, (_, i) => Math.sin(i * 1.7 + n) * 10));
  }
  return accumulator.finish();
}

t.test("statistics survive JSON", async (t) => {
  for (const [layout, shape] of [["chw", [5, 2, 3]] as const, ["hwc", [2, 3, 7]] as const]) {
    const statistics = sample(layout, [...shape]);
    const text = JSON.stringify(encodeStatistics(statistics));
    t.strictSame(decodeStatistics(JSON.parse(text)), statistics, layout);
    const half = decodeStatistics(encodeStatistics(statistics, "float16"));
    t.ok(half.meanElement.every((x, i) => close(x, statistics.meanElement[i]!, 2 ** -9)));
    t.strictSame(half.channelMean, statistics.channelMean, "only the mean element is halved");
  }
  const { channelMinimum, channelMaximum, ...bare } = sample("chw", [2, 2, 2]);
  t.ok(channelMinimum !== undefined && channelMaximum !== undefined);
  t.strictSame(decodeStatistics(encodeStatistics(bare)), bare, "without ranges");
});

t.test("the stored form, byte for byte", async (t) => {
  const form = encodeStatistics({
    cut: "x",
    shape: [2],
    samples: 4,
    channelMean: Float32Array.of(1),
    channelDeviation: Float32Array.of(0.5),
    meanElement: Float32Array.of(1, -2),
  });
  t.strictSame(form, {
    version: 1,
    cut: "x",
    shape: [2],
    samples: 4,
    channelMean: Buffer.from([0, 0, 0x80, 0x3f]).toString("base64"),
    channelDeviation: Buffer.from([0, 0, 0, 0x3f]).toString("base64"),
    meanElementDtype: "float32",
    meanElement: Buffer.from([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]).toString("base64"),
  });
});

t.test("a broken form is refused by the name of its field", async (t) => {
  const form = encodeStatistics(sample("chw", [5, 2, 3]));
  const swap = (text: string, at: number, by: string) => text.slice(0, at) + by + text.slice(at + by.length);
  const refused: [Record<string, unknown>, string][] = [
    [{ version: 3 }, "version"],
    [{ version: 2 }, "version"],
    [{ shape: "5" }, "shape"],
    [{ shape: [2 ** 20, 2 ** 20] }, "shape"],
    [{ samples: 0 }, "samples"],
    [{ cut: 7 }, "cut"],
    [{ meanElementDtype: "float64" }, "meanElementDtype"],
    [{ meanElement: form.meanElement.slice(4) }, "meanElement"],
    [{ meanElement: swap(form.meanElement, 5, "*") }, "meanElement"],
    [{ meanElement: swap(form.meanElement, 5, "é") }, "meanElement"],
    [{ channelMean: "" }, "channelMean"],
    [{ channelMean: swap(form.channelMean, form.channelMean.length - 1, "A") }, "channelMean"],
    [{ channelMean: swap(form.channelMean, form.channelMean.length - 2, "/") }, "channelMean"],
    [{ channelDeviation: form.channelMinimum }, "channelDeviation"],
    [{ channelDeviation: "AAAA" }, "channelDeviation"],
    [
      { channelMaximum: Buffer.from(new Float32Array(5).fill(Number.NaN).buffer).toString("base64") },
      "channelMaximum",
    ],
  ];
  for (const [change, field] of refused) {
    t.throws(
      () => decodeStatistics({ ...form, ...change }),
      { name: "TensorError", field },
      JSON.stringify(change),
    );
  }
  for (const value of [null, 1, "x", [], undefined]) {
    t.throws(() => decodeStatistics(value), { name: "TensorError" });
  }
  const large = { ...sample("chw", [2, 1, 1]), meanElement: Float32Array.of(1, 1e5) };
  t.throws(() => encodeStatistics(large, "float16"), { name: "TensorError", field: "meanElement" });
  t.doesNotThrow(() => encodeStatistics(large, "float32"));
});

t.test("base64 is Node's base64, and any JSON is refused or read", async () => {
  fc.assert(
    fc.property(
      fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 40 }),
      (xs) => {
        const values = Float32Array.from(xs);
        const form = encodeStatistics({
          cut: "x",
          shape: [xs.length],
          samples: 1,
          channelMean: values,
          channelDeviation: values.map(Math.abs),
          meanElement: values,
        });
        const same = form.meanElement === Buffer.from(values.buffer).toString("base64");
        return same && decodeStatistics(form).meanElement.every((x, i) => Object.is(x, values[i]));
      },
    ),
    { seed, numRuns: 500 },
  );
  const form = encodeStatistics(sample("chw", [5, 2, 3]));
  const keys = Object.keys(form);
  fc.assert(
    fc.property(fc.constantFrom(...keys), fc.oneof(fc.jsonValue(), fc.base64String()), (key, value) => {
      try {
        decodeStatistics({ ...form, [key]: value });
      } catch (error) {
        return error instanceof Error && error.name === "TensorError";
      }
      return true;
    }),
    { seed, numRuns: 1000 },
  );
});

t.test("a transform makes it version 2; what does not fit is named", async (t) => {
  const accumulator = createStatisticsAccumulator("cut", [2, 4, 4], "chw");
  accumulator.add(Float32Array.from({ length: 32 }, (_, i) => i));
  const transform = {
    block: [2, 2] as const,
    matrixOfBand: Uint8Array.of(0, 1, 1, 1),
    matrices: Int8Array.of(127, -128, 3, 4, 5, 6, 7, 8),
    gains: Float32Array.of(0.5, 1, 2, 1e-3),
    scales: Uint8Array.of(255, 1, 0, 4, 5, 6, 7, 8),
    coarseScales: Uint8Array.of(200, 1, 0, 4, 5, 6, 7, 8),
  };
  const statistics = { ...accumulator.finish(), transform };
  const form = JSON.parse(JSON.stringify(encodeStatistics(statistics)));
  t.equal(form.version, 2);
  t.same(decodeStatistics(form), statistics);
  t.equal(decodeStatistics({ ...form, version: 1 }).transform, undefined);
  const plain = { ...statistics, transform: { ...transform, matrices: new Int8Array(0) } };
  t.same(decodeStatistics(encodeStatistics(plain)), plain, "components can be channels");
  const base64 = (...bytes: number[]) => Buffer.from(bytes).toString("base64");
  for (const [member, value, says] of [
    ["block", [2, 9], /^block: must be two integers from 1 to 8/],
    ["block", [2], /^block: /],
    ["block", [1, 2], /^matrixOfBand: /],
    ["matrixOfBand", base64(0, 1, 1, 16), /^matrixOfBand: must be below 16/],
    ["matrixOfBand", 7, /^matrixOfBand: must be a string/],
    ["matrices", base64(1, 2, 3), /^matrices: /],
    ["gains", base64(...new Array(16).fill(0)), /^gains: must be within/],
    ["gains", base64(...new Array(16).fill(0xff)), /^gains: must be within/],
    ["scales", base64(1), /^scales: /],
    ["coarseScales", undefined, /^coarseScales: must be a string/],
  ] as const) {
    t.throws(() => decodeStatistics({ ...form, [member]: value }), says);
  }
  t.throws(
    () => encodeStatistics({ ...statistics, transform: { ...transform, gains: Float32Array.of(1) } }),
    /^gains: 1 elements, must be 4/,
  );
});
