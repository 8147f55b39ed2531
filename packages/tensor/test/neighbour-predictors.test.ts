import {
  createLagCovarianceAccumulator,
  createStatisticsAccumulator,
  decodeStatistics,
  encodeStatistics,
  fitNeighbourPredictors,
  type Layout,
  type NeighbourTaps,
  planeGeometry,
} from "@sluice/tensor";
import fc from "fast-check";
import t from "tap";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

/** Values that repeat for a seed; good enough for noise. */
function noise(start: number): () => number {
  let state = start;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

function elementAt(layout: Layout, shape: readonly number[], c: number, y: number, x: number): number {
  const [, b, d] = shape as [number, number, number];
  return layout === "chw" ? (c * b + y) * d + x : (y * b + x) * d + c;
}

t.test("covariances at lags are those of all pairs, in either layout", async () => {
  const value = fc.integer({ min: -100, max: 100 });
  const tensors = fc.array(fc.array(value, { minLength: 24, maxLength: 24 }), { minLength: 1, maxLength: 4 });
  const where = fc.tuple(
    fc.nat(1),
    fc.nat(1),
    fc.integer({ min: -2, max: 2 }),
    fc.integer({ min: -2, max: 2 }),
  );
  fc.assert(
    fc.property(
      tensors,
      where,
      fc.constantFrom<Layout>("chw", "hwc"),
      (tensors, [a, b, down, right], layout) => {
        const shape = layout === "chw" ? [2, 3, 4] : [3, 4, 2];
        const accumulator = createLagCovarianceAccumulator(planeGeometry(shape, layout)!);
        for (const tensor of tensors) accumulator.add(Float32Array.from(tensor));
        const mean = Array.from(
          { length: 24 },
          (_, i) => tensors.reduce((sum, x) => sum + x[i]!, 0) / tensors.length,
        );
        let sum = 0;
        for (const tensor of tensors) {
          for (let y = 0; y < 3; y++) {
            for (let x = 0; x < 4; x++) {
              if (y + down < 0 || y + down > 2 || x + right < 0 || x + right > 3) continue;
              const p = elementAt(layout, shape, a, y, x);
              const q = elementAt(layout, shape, b, y + down, x + right);
              sum += (tensor[p]! - mean[p]!) * (tensor[q]! - mean[q]!);
            }
          }
        }
        const expected = sum / (tensors.length * 12);
        return (
          Math.abs(accumulator.finish().at(a, b, down, right) - expected) < 1e-6 * (1 + Math.abs(expected))
        );
      },
    ),
    { seed, numRuns: 300 },
  );
});

/** Taps of a channel that matter, as [channel, place, weight]. */
function tapsOf({ taps, sources, weights }: NeighbourTaps, channel: number): [number, number, number][] {
  return Array.from({ length: taps }, (_, k) => channel * taps + k)
    .filter((i) => Math.abs(weights[i]!) > 0.02)
    .map((i) => [Math.floor(sources[i]! / 9), sources[i]! % 9, weights[i]!]);
}

/** Channel 0 is noise, 1 is -3 times what stands one row above in 0, 2 never varies, 3 is noise of its own. */
function related(layout: Layout, shape: readonly number[], random: () => number): Float32Array {
  const tensor = new Float32Array(4 * 6 * 6);
  for (let y = 0; y < 6; y++) {
    for (let x = 0; x < 6; x++) {
      const at = (c: number, row: number) => elementAt(layout, shape, c, row, x);
      tensor[at(0, y)] = random();
      tensor[at(1, y)] = y > 0 ? -3 * tensor[at(0, y - 1)]! : random();
      tensor[at(2, y)] = 7;
      tensor[at(3, y)] = random();
    }
  }
  return tensor;
}

for (const layout of ["chw", "hwc"] as const) {
  t.test(`what one channel says of another is found (${layout})`, async (t) => {
    const shape = layout === "chw" ? [4, 6, 6] : [6, 6, 4];
    const statistics = createStatisticsAccumulator("cut", shape, layout, { neighbours: true });
    const random = noise(seed);
    for (let n = 0; n < 200; n++) statistics.add(related(layout, shape, random));
    const { neighbours, channelDeviation } = statistics.finish();
    for (const table of [neighbours!.near, neighbours!.others]) {
      const [first, ...more] = tapsOf(table, 1);
      t.strictSame(first?.slice(0, 2), [0, 1], "the channel above");
      t.ok(Math.abs(first![2] + 3 * (channelDeviation[0]! / channelDeviation[1]!)) < 0.2, "by its weight");
      t.ok(
        more.every(([, , weight]) => Math.abs(weight) < 0.1),
        "and little else",
      );
      t.strictSame(tapsOf(table, 2), [], "of what never varies nothing is to be said");
      for (const channel of [0, 1, 3]) t.notOk(tapsOf(table, channel).some(([from]) => from === 2));
    }
    t.ok(
      tapsOf(neighbours!.others, 3).every(([from]) => from !== 3),
      "others look at others",
    );
  });
}

t.test("predictors are fitted where asked for, and where there are planes", async (t) => {
  const make = (shape: number[], layout: Layout, options: { neighbours?: boolean }) => {
    const accumulator = createStatisticsAccumulator("cut", shape, layout, options);
    accumulator.add(
      Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i * 1.3)),
    );
    return accumulator.finish().neighbours;
  };
  t.ok(make([2, 3, 3], "chw", { neighbours: true }));
  t.equal(make([2, 3, 3], "chw", {}), undefined);
  t.equal(make([2, 3, 3], "any", { neighbours: true }), undefined);
  t.equal(make([513, 1, 1], "chw", { neighbours: true }), undefined, "too many channels");
});

t.test("taps: at most as many as asked for, and own ones first", async (t) => {
  const geometry = planeGeometry([3, 5, 5], "chw")!;
  const accumulator = createLagCovarianceAccumulator(geometry);
  const random = noise(seed + 1);
  for (let n = 0; n < 20; n++) accumulator.add(Float32Array.from({ length: 75 }, random));
  const taps = { near: 10, own: 5, others: 3 };
  const { near, own, others } = fitNeighbourPredictors(
    accumulator.finish(),
    new Float32Array(3).fill(1),
    taps,
  );
  t.equal(near.sources.length, 30);
  t.equal(others.sources.length, 9);
  for (let channel = 0; channel < 3; channel++) {
    const from = [...near.sources.subarray(channel * 10, channel * 10 + 10)].map((source) =>
      Math.floor(source / 9),
    );
    t.strictSame(from.slice(0, 8), new Array(8).fill(channel), "the eight neighbours");
    t.notOk(from.slice(8).includes(channel));
    const ownOnly = [...own.sources.subarray(channel * 5, channel * 5 + 5)];
    t.ok(ownOnly.every((source) => Math.floor(source / 9) === channel && source % 9 !== 4));
  }
});

t.test("they survive being stored, and what is broken is refused by name", async (t) => {
  const accumulator = createStatisticsAccumulator("cut", [2, 3, 3], "chw", { neighbours: true });
  const random = noise(seed + 2);
  for (let n = 0; n < 5; n++) accumulator.add(Float32Array.from({ length: 18 }, random));
  const statistics = accumulator.finish();
  const form = encodeStatistics(statistics);
  t.equal(form.version, 2);
  t.strictSame(decodeStatistics(JSON.parse(JSON.stringify(form))), statistics);
  const near = form.neighbours!.near;
  const words = (length: number, value: number) =>
    Buffer.from(new Uint16Array(length).fill(value).buffer).toString("base64");
  const length = 2 * near.taps;
  const refused: [unknown, string][] = [
    [null, "neighbours"],
    [[], "neighbours"],
    [{ ...form.neighbours, near: 1 }, "neighbours.near"],
    [{ ...form.neighbours, near: { ...near, taps: 0 } }, "neighbours.near.taps"],
    [{ ...form.neighbours, near: { ...near, taps: 65 } }, "neighbours.near.taps"],
    [{ ...form.neighbours, near: { ...near, taps: near.taps + 1 } }, "neighbours.near.sources"],
    [{ ...form.neighbours, near: { ...near, sources: words(length, 18) } }, "neighbours.near.sources"],
    [{ ...form.neighbours, near: { ...near, sources: words(length, 4) } }, "neighbours.near.sources"],
    [{ ...form.neighbours, near: { ...near, weights: words(length, 0x7c00) } }, "neighbours.near.weights"],
    [{ ...form.neighbours, others: near }, "neighbours.others.sources"],
    [{ ...form.neighbours, own: form.neighbours!.others }, "neighbours.own.sources"],
    [{ ...form.neighbours, own: undefined }, "neighbours.own"],
  ];
  for (const [neighbours, field] of refused) {
    const what = JSON.stringify(neighbours).slice(0, 60);
    t.throws(() => decodeStatistics({ ...form, neighbours }), { name: "TensorError", field }, what);
  }
});
