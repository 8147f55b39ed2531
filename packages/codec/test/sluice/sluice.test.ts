import { createSluiceCodec, type EncodedSlice, type PartialTensor, parseCodec } from "@sluice/codec";
import {
  type CutStatistics,
  createTensor,
  type Dtype,
  type Layout,
  sliceRange,
  type Tensor,
  type TensorSpec,
} from "@sluice/tensor";
import fc from "fast-check";
import t from "tap";
import { bytesOf, meanSquare } from "../measure.js";
import { createRandom, madeStatistics, smoothTensor } from "./made-statistics.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
const cases = Number(process.env.SLUICE_FUZZ ?? 3000);
t.comment(`seed ${seed}; SLUICE_FUZZ=100000 runs the whole campaign`);

const spec: TensorSpec<"float32"> = { dtype: "float32", shape: [6, 12, 12], layout: "chw" };
const statistics = madeStatistics(spec.shape, "chw", createRandom(seed));

function decode(of: TensorSpec, known: CutStatistics, text: string, slices: readonly EncodedSlice[]) {
  const partial = parseCodec(text).createDecoder(of, known).begin();
  for (const { index, count, payload } of slices) {
    const fault = partial.add(index, count, payload);
    if (fault !== undefined) throw new Error(`slice ${index} of ${count}: ${fault}`);
  }
  return partial.finish();
}

t.test("what is coded finely comes back nearly as it was, what is coded coarsely takes less", async (t) => {
  const tensor = smoothTensor(spec, createRandom(seed));
  let bytes = Number.POSITIVE_INFINITY;
  let error = 0;
  for (const quality of [100, 90, 75, 60, 50, 40, 25, 0]) {
    const text = `sluice:quality=${quality}`;
    const { slices } = parseCodec(text).createEncoder(spec, statistics).encode(tensor, 1e6);
    const result = decode(spec, statistics, text, slices);
    const own = meanSquare(tensor, result.tensor);
    t.equal(result.missingCount, 0);
    t.ok(bytesOf(slices) < bytes, `${quality}: ${bytesOf(slices)} bytes`);
    t.ok(own > error, `${quality}: mean square error ${own}`);
    if (quality === 100) t.ok(own < 1e-4);
    [bytes, error] = [bytesOf(slices), own];
  }
});

t.test("all shapes and layouts that there are", async (t) => {
  const shapes: [number[], Layout][] = [
    [[], "any"],
    [[1], "any"],
    [[7], "any"],
    [[3, 5], "any"],
    [[2, 3, 5, 4], "any"],
    [[1, 1, 1], "chw"],
    [[1, 1, 1], "hwc"],
    [[5, 1, 9], "chw"],
    [[3, 9, 1], "hwc"],
    [[2, 13, 6], "hwc"],
    [[4, 4, 4], "chw"],
  ];
  for (const [shape, layout] of shapes) {
    for (const block of [
      [1, 1],
      [4, 4],
      [8, 3],
    ] as const) {
      for (const plain of [false, true]) {
        const own: TensorSpec = { dtype: "float32", shape, layout };
        const known = madeStatistics(shape, layout, createRandom(1), { block, plain });
        const tensor = smoothTensor(own, createRandom(2));
        const text = "sluice:quality=95,layers=2";
        const { slices } = parseCodec(text).createEncoder(own, known).encode(tensor, 200);
        const result = decode(own, known, text, slices);
        const error = meanSquare(tensor, result.tensor);
        const name = `[${shape}] ${layout}, blocks of ${block}`;
        t.ok(result.missingCount === 0 && error < 1e-3, `${name}: mean square error ${error}`);
      }
    }
  }
});

t.test("HWC is CHW in another order", async (t) => {
  const hwc: TensorSpec = { dtype: "float32", shape: [12, 12, 6], layout: "hwc" };
  const turned = (from: Tensor): Tensor => {
    const to = createTensor("float32", hwc.shape, undefined, "hwc");
    for (let i = 0; i < 864; i++) to.data[(i % 144) * 6 + Math.floor(i / 144)] = from.data[i]!;
    return to;
  };
  const tensor = smoothTensor(spec, createRandom(seed));
  const encode = (of: TensorSpec, known: CutStatistics, value: Tensor) =>
    createSluiceCodec().createEncoder(of, known).encode(value, 300).slices;
  const slices = encode(spec, statistics, tensor);
  t.same(encode(hwc, { ...statistics, shape: hwc.shape }, turned(tensor)), slices);
  const { tensor: back } = decode(hwc, { ...statistics, shape: hwc.shape }, "sluice", slices);
  t.same(back.data, turned(decode(spec, statistics, "sluice", slices).tensor).data);
});

t.test(
  "any subset of slices, some of them split, in any order, gives what the whole gives there",
  async () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 200, max: 600 }),
        fc.array(fc.record({ pick: fc.nat(), split: fc.boolean() }), { maxLength: 20 }),
        fc.integer({ min: 0, max: 100 }),
        (layers, maxPayloadBytes, picks, quality) => {
          const text = `sluice:quality=${Math.min(quality, 60)},layers=${layers}`;
          const encoder = parseCodec(text).createEncoder(spec, statistics);
          const tensor = smoothTensor(spec, createRandom(quality));
          const encoded = encoder.encode(tensor, maxPayloadBytes);
          // Encodes another one in between: a split must not mix them up.
          encoder.encode(smoothTensor(spec, createRandom(quality + 1)), 1e6);
          const whole = encoder.encode(tensor, 1e6);
          const chosen = picks.flatMap(({ pick, split }) => {
            const slice = encoded.slices[pick % encoded.slices.length]!;
            return split ? encoded.split(slice, Math.max(200, maxPayloadBytes >> 1)) : [slice];
          });
          const { units } = encoder;
          const covered = new Set(
            chosen.flatMap(({ index, count }) => {
              const { first, end } = sliceRange(index, count, units);
              return Array.from({ length: end - first }, (_, i) => first + i);
            }),
          );
          // The same units, each by itself, of the whole tensor's encoding.
          const single = [...covered].map((unit) => whole.split({ index: unit, count: units }, 1e6)[0]!);
          const a = decode(spec, statistics, text, chosen);
          const b = decode(spec, statistics, text, single);
          const blocks = units / layers;
          let missing = 0;
          for (let block = 0; block < blocks; block++) if (!covered.has(block)) missing += 864 / blocks;
          return (
            chosen.every(({ payload }) => payload.length <= maxPayloadBytes) &&
            a.missingCount === missing &&
            a.tensor.data.every((value, i) => value === b.tensor.data[i]) &&
            a.missing.every((flag, i) => flag === b.missing[i])
          );
        },
      ),
      { seed, numRuns: 150 },
    );
  },
);

t.test("a budget is kept, and less of it never gives more", async (t) => {
  const tensor = smoothTensor(spec, createRandom(seed), 2);
  for (const layers of [1, 3, 8]) {
    const text = `sluice:quality=70,layers=${layers}`;
    const encoder = parseCodec(text).createEncoder(spec, statistics);
    const all = encoder.encode(tensor, 200);
    const full = bytesOf(all.slices);
    t.same(encoder.encode(tensor, 200, { budgetBytes: full }).slices, all.slices);
    let error = meanSquare(tensor, decode(spec, statistics, text, all.slices).tensor);
    for (let budgetBytes = full - 1; budgetBytes > 0; budgetBytes = Math.floor(budgetBytes * 0.8)) {
      const { slices } = encoder.encode(tensor, 200, { budgetBytes });
      const result = decode(spec, statistics, text, slices);
      const own = meanSquare(tensor, result.tensor);
      t.ok(bytesOf(slices) <= budgetBytes, `${bytesOf(slices)} of ${budgetBytes} bytes`);
      t.equal(result.missingCount, 0, "what is left out counts as 0, not as missing");
      t.ok(own >= error * 0.98, `mean square error ${own}`);
      error = own;
    }
    const nothing = encoder.encode(tensor, 200, { budgetBytes: 0 });
    t.equal(bytesOf(nothing.slices), 0);
    const { tensor: mean } = decode(spec, statistics, text, nothing.slices);
    t.ok(mean.data.every((value) => Math.abs(value - 5) < 1e-4));
    t.same(nothing.split(nothing.slices[0]!, 30), [nothing.slices[0]], "nothing is nothing to split");
  }
});

t.test("a prefix of layered slices is better than as many others", async (t) => {
  const tensor = smoothTensor(spec, createRandom(seed), 2);
  const text = "sluice:quality=60,layers=4";
  const { slices } = parseCodec(text).createEncoder(spec, statistics).encode(tensor, 80);
  let error = Number.POSITIVE_INFINITY;
  for (let kept = 0; kept <= slices.length; kept++) {
    const cut = slices.map((slice, i) => (i < kept ? slice : { ...slice, payload: new Uint8Array(0) }));
    const own = meanSquare(tensor, decode(spec, statistics, text, cut).tensor);
    t.ok(own <= error * 1.01, `${kept} of ${slices.length}: ${own}`);
    error = own;
  }
});

t.test("NaN, infinities and what is beyond the range; no variance", async (t) => {
  const tensor = smoothTensor(spec, createRandom(seed));
  tensor.data.set([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30, -1e30]);
  const text = "sluice:quality=100";
  const encode = (value: Tensor) =>
    createSluiceCodec({ quality: 100 }).createEncoder(spec, statistics).encode(value, 1e6);
  const { data } = decode(spec, statistics, text, encode(tensor).slices).tensor;
  for (const [i, expected] of [5, 10, 0, 10, 0].entries()) {
    t.ok(Math.abs(data[i]! - expected) < 0.1, `element ${i} is ${data[i]}`);
  }
  const { channelMinimum: _low, channelMaximum: _high, ...unlimited } = statistics;
  const { slices } = createSluiceCodec().createEncoder(spec, unlimited).encode(tensor, 1e6);
  t.ok(decode(spec, unlimited, "sluice", slices).tensor.data.every(Number.isFinite));
  const flat = createTensor("float32", spec.shape, new Float32Array(864).fill(5));
  const result = decode(spec, statistics, text, encode(flat).slices);
  t.ok(result.tensor.data.every((value) => Math.abs(value - 5) < 1e-5));
});

t.test("other dtypes go through float32", async (t) => {
  for (const dtype of ["float16", "uint8", "int8", "int32"] as Dtype[]) {
    const own = { ...spec, dtype };
    const tensor = createTensor(dtype, spec.shape, undefined, "chw");
    const floats = smoothTensor(spec, createRandom(3));
    for (let i = 0; i < 864; i++) tensor.data[i] = dtype === "float16" ? 0x4500 : Math.round(floats.data[i]!);
    const { slices } = createSluiceCodec({ quality: 90 }).createEncoder(own, statistics).encode(tensor, 1e6);
    const { tensor: back } = decode(own, statistics, "sluice:quality=90", slices);
    const limit = dtype === "float16" ? 4 : 0;
    t.ok(
      back.data.every((value, i) => Math.abs(value - tensor.data[i]!) <= limit),
      dtype,
    );
  }
});

t.test("what cannot be is refused and named", async (t) => {
  const encoder = createSluiceCodec().createEncoder(spec, statistics);
  const tensor = smoothTensor(spec, createRandom(1), 5);
  t.throws(() => createSluiceCodec().createEncoder(spec), /codec.sluice: needs the cut's statistics/);
  t.throws(
    () => createSluiceCodec().createDecoder({ ...spec, shape: [6, 12, 13] }, statistics),
    /of shape \[6, 12, 12\]/,
  );
  t.throws(() => encoder.encode(createTensor("float32", [5]), 1e6), /tensor.data: 5 elements/);
  t.throws(() => encoder.encode(createTensor("uint8", spec.shape), 1e6), /tensor.dtype: uint8/);
  t.throws(() => encoder.encode(tensor, 4), /maxPayloadBytes: 4, unit \d+ of \d+ takes \d+ bytes by itself/);
  t.throws(() => encoder.encode(tensor, 0), /maxPayloadBytes: must be positive/);
  t.throws(
    () => createSluiceCodec({ quality: 50.5 }),
    /codec.sluice.quality: must be an integer from 0 to 100/,
  );
  t.throws(() => createSluiceCodec({ layers: 0 }), /codec.sluice.layers: must be an integer from 1 to 8/);
  const matrices = new Int8Array(statistics.transform!.matrices.length);
  const singular = { ...statistics, transform: { ...statistics.transform!, matrices } };
  t.throws(() => createSluiceCodec().createEncoder(spec, singular), /matrix 0 has no inverse/);
});

t.test("slices that are broken are refused and change nothing", async (t) => {
  const tensor = smoothTensor(spec, createRandom(seed));
  const { slices } = createSluiceCodec().createEncoder(spec, statistics).encode(tensor, 120);
  const decoder = createSluiceCodec().createDecoder(spec, statistics);
  const random = createRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const faults: Record<string, number> = {};
  const expect = (partial: PartialTensor) => partial.finish().tensor.data.slice();
  const clean = decoder.begin();
  for (const { index, count, payload } of slices) clean.add(index, count, payload);
  const before = expect(clean);
  for (let n = 0; n < cases; n++) {
    const slice = slices[below(slices.length)]!;
    let payload = slice.payload.slice();
    const kind = below(4);
    if (kind === 0) payload = payload.slice(0, 1 + below(payload.length - 1));
    else if (kind === 1) payload[below(payload.length)]! ^= 1 << below(8);
    else if (kind === 2) payload = Uint8Array.from({ length: 1 + below(200) }, () => below(256));
    else payload = Uint8Array.from([...payload, ...Array.from({ length: 1 + below(5) }, () => below(256))]);
    const moved = below(4) === 0;
    const fault = clean.add(moved ? below(slice.count) : slice.index, slice.count, payload);
    faults[fault ?? "taken"] = (faults[fault ?? "taken"] ?? 0) + 1;
    if (fault === undefined)
      for (const { index, count, payload: own } of slices) clean.add(index, count, own);
    if (n % 100 === 0) {
      const after = expect(clean);
      if (after.some((value, i) => value !== before[i])) t.fail(`case ${n} left something behind`);
    }
  }
  t.comment(JSON.stringify(faults));
  t.ok((faults.taken ?? 0) < cases / 50, "the coder's state tells of nearly all of them");
  t.same(expect(clean), before);
  for (const [index, count] of [
    [-1, 1],
    [1, 1],
    [0, 0],
    [0, 1e9],
    [0.5, 2],
    [Number.NaN, 1],
  ] as const) {
    t.equal(clean.add(index, count, slices[0]!.payload), "range");
  }
});

t.test("slices say what they are worth: the first layer most, what was left out nothing", async (t) => {
  const tensor = smoothTensor(spec, createRandom(seed));
  const encoder = parseCodec("sluice:quality=75").createEncoder(spec, statistics);
  const worth = (slices: readonly EncodedSlice[]) => slices.map(({ importance }) => importance ?? Number.NaN);
  t.equal(encoder.encode(tensor, 1e6).slices[0]!.importance, undefined, "one alone is not compared");
  const encoded = encoder.encode(tensor, 80);
  const { slices } = encoded;
  const all = worth(slices);
  t.ok(slices.length > 3 && Math.max(...all) === 1 && all.every((value) => value >= 0), `${all}`);
  const blocks = encoder.units / 3;
  const isBase = ({ index, count }: EncodedSlice) => sliceRange(index, count, encoder.units).first < blocks;
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [base, others] = [slices.filter(isBase), slices.filter((slice) => !isBase(slice))];
  t.ok(mean(worth(base)) > 2 * mean(worth(others)), `${worth(base)}; ${worth(others)}`);
  const parts = encoded.split(slices[0]!, 40);
  t.ok(parts.length > 1);
  const sum = worth(parts).reduce((a, b) => a + b);
  t.ok(Math.abs(sum - all[0]!) < 1e-9, `parts ${sum}, whole ${all[0]}`);
  const short = encoder.encode(tensor, 80, { budgetBytes: 150 });
  for (const { payload, importance } of short.slices) if (payload.length === 0) t.equal(importance, 0);
});
