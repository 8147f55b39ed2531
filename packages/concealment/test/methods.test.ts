import {
  type ConcealmentMethod,
  conceal,
  concealmentMethods,
  createConcealer,
  createLastTensor,
  needsStatistics,
} from "@sluice/concealment";
import {
  type BlockMotion,
  type CutStatistics,
  createStatisticsAccumulator,
  createTensor,
  type Layout,
} from "@sluice/tensor";
import fc from "fast-check";
import t from "tap";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

function noise(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

const shape = [6, 8, 8];
const size = 6 * 64;

/** Smooth planes that depend on each other: each is half the one before and half its own. At least 0, as after a ReLU. */
function scene(random: () => number): Float32Array {
  const field = Float32Array.from({ length: size }, random);
  const smooth = (i: number, step: number, isInside: boolean) => {
    if (isInside) field[i] = 0.7 * field[i - step]! + 0.3 * field[i]!;
  };
  for (let i = 0; i < size; i++) smooth(i, 1, i % 8 > 0);
  for (let i = 0; i < size; i++) smooth(i, 8, i % 64 >= 8);
  for (let i = 64; i < size; i++) field[i] = 0.7 * field[i - 64]! + 0.3 * field[i]!;
  return field.map((value) => Math.max(0, 1 + 4 * value));
}

function calibrate(): CutStatistics {
  const accumulator = createStatisticsAccumulator("cut", shape, "chw", { neighbours: true });
  const random = noise(seed);
  for (let n = 0; n < 300; n++) accumulator.add(scene(random));
  return accumulator.finish();
}

const statistics = calibrate();
const chw = (values: Float32Array) => createTensor("float32", shape, values.slice(), "chw");

/** Squared error of the missing elements over many scenes. */
function errorOf(method: ConcealmentMethod, lose: (random: () => number) => Uint8Array): number {
  const concealer = createConcealer(chw(new Float32Array(size)), method, { statistics });
  const random = noise(seed + 1);
  let error = 0;
  for (let n = 0; n < 40; n++) {
    const whole = scene(random);
    const missing = lose(random);
    const tensor = chw(whole.map((value, i) => (missing[i] ? 0 : value)));
    concealer.conceal(tensor, missing);
    error += tensor.data.reduce((sum, value, i) => sum + (value - whole[i]!) ** 2, 0);
  }
  return error;
}

const scattered = (random: () => number) =>
  Uint8Array.from({ length: size }, () => (random() < -0.6 ? 1 : 0));
const oneChannel = (random: () => number) => {
  const lost = Math.floor(3 * (random() + 1));
  return Uint8Array.from({ length: size }, (_, i) => (Math.floor(i / 64) === lost ? 1 : 0));
};
const oneBlock = (random: () => number) => {
  const lost = Math.floor(2 * (random() + 1));
  return Uint8Array.from({ length: size }, (_, i) =>
    2 * Math.floor((i % 64) / 32) + Math.floor((i % 8) / 4) === lost ? 1 : 0,
  );
};

t.test("what is told from neighbours comes closer than means do", async (t) => {
  const mean = errorOf("channel-mean", scattered);
  const spatial = errorOf("spatial", scattered);
  const auto = errorOf("auto", scattered);
  t.ok(spatial < 0.5 * mean, `spatial ${spatial} of ${mean}`);
  t.ok(auto < 0.7 * spatial, `auto ${auto}`);
  const others = errorOf("inter-channel", oneChannel);
  t.ok(others < 0.4 * errorOf("data-set-mean", oneChannel), `inter-channel ${others}`);
  t.ok(others < 0.4 * errorOf("hybrid", oneChannel));
});

t.test("auto is as good as the best of the others, whatever is missing", async (t) => {
  for (const [what, lose] of Object.entries({ scattered, oneChannel, oneBlock })) {
    const best = Math.min(
      ...concealmentMethods.filter((method) => method !== "auto").map((method) => errorOf(method, lose)),
    );
    const auto = errorOf("auto", lose);
    t.ok(auto <= 1.02 * best, `${what}: ${auto}, the best other ${best}`);
  }
});

t.test("hybrid: the mean elements, moved by the channel", async (t) => {
  const known: CutStatistics = {
    ...{ cut: "cut", shape: [2, 1, 2], samples: 1 },
    ...{ channelMean: Float32Array.of(2, 10), channelDeviation: Float32Array.of(1, 1) },
    meanElement: Float32Array.of(1, 3, 8, 12),
  };
  const tensor = createTensor("float32", [2, 1, 2], Float32Array.of(5, 0, 0, 0), "chw");
  conceal(tensor, Uint8Array.of(0, 1, 1, 1), "hybrid", { statistics: known });
  t.strictSame([...tensor.data], [5, 6, 8, 12], "of the second channel nothing came");
});

/** The same elements with the channels last. */
function channelsLast(values: ArrayLike<number>): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => values[(i % 6) * 64 + Math.floor(i / 6)]!);
}

t.test("either layout gives the same", async (t) => {
  const inOther: CutStatistics = {
    ...statistics,
    ...{ shape: [8, 8, 6], meanElement: channelsLast(statistics.meanElement) },
  };
  const random = noise(seed + 2);
  for (const method of concealmentMethods) {
    const values = scene(random);
    const missing = scattered(random);
    const first = chw(values);
    conceal(first, missing, method, { statistics });
    const last = createTensor("float32", [8, 8, 6], channelsLast(values), "hwc");
    conceal(last, Uint8Array.from(channelsLast(missing)), method, { statistics: inOther });
    t.strictSame(last.data, channelsLast(first.data as Float32Array), method);
  }
});

t.test("whatever is missing, what came stays and what is filled is finite and in range", async () => {
  const value = fc.oneof(
    { weight: 8, arbitrary: fc.float({ noNaN: true, min: -1000, max: 1000 }) },
    { weight: 1, arbitrary: fc.float() },
  );
  const flag = fc.boolean();
  const layouts = fc.constantFrom<Layout>("chw", "hwc", "any");
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 36, maxLength: 36 }),
      fc.array(flag, { minLength: 36, maxLength: 36 }),
      layouts,
      fc.constantFrom(...concealmentMethods.filter((method) => !needsStatistics(method))),
      fc.option(fc.array(value, { minLength: 36, maxLength: 36 }), { nil: undefined }),
      (values, lost, layout, method, earlier) => {
        const make = (list: number[]) => createTensor("float32", [3, 4, 3], Float32Array.from(list), layout);
        const tensor = make(values);
        conceal(tensor, Uint8Array.from(lost, Number), method, {
          ...(earlier && { reference: { tensor: make(earlier) } }),
        });
        return [...tensor.data].every((got, i) =>
          lost[i] ? method === "temporal" || Number.isFinite(got) : Object.is(got, Math.fround(values[i]!)),
        );
      },
    ),
    { seed, numRuns: 1000 },
  );
});

t.test("a concealer remembers nothing of the tensors before", async (t) => {
  const concealer = createConcealer(chw(new Float32Array(size)), "auto", { statistics });
  const random = noise(seed + 3);
  const values = scene(random);
  const missing = scattered(random);
  const alone = chw(values);
  concealer.conceal(alone, missing);
  concealer.conceal(chw(scene(random).fill(1e6)), oneBlock(random));
  const again = chw(values);
  concealer.conceal(again, missing);
  t.strictSame(again.data, alone.data);
});

t.test("an earlier tensor: taken as far as what came confirms it", async (t) => {
  const random = noise(seed + 4);
  const cases = Array.from({ length: 20 }, () => ({
    ...{ before: scene(random), after: scene(random), missing: oneBlock(random) },
  }));
  /** Squared error over all cases. */
  const errorAfter = (
    now: "before" | "after",
    method: ConcealmentMethod,
    reference?: "before",
    options: { statistics?: CutStatistics } = { statistics },
  ) => {
    let error = 0;
    for (const { missing, ...scenes } of cases) {
      const tensor = chw(scenes[now].map((value, i) => (missing[i] ? 0 : value)));
      const earlier = reference && { reference: { tensor: chw(scenes[reference]) } };
      conceal(tensor, missing, method, { ...options, ...earlier });
      error += tensor.data.reduce((sum, value, i) => sum + (value - scenes[now][i]!) ** 2, 0);
    }
    return error;
  };
  t.equal(errorAfter("before", "temporal", "before"), 0, "nothing moved");
  t.ok(errorAfter("before", "auto", "before") < 1e-3 * errorAfter("before", "auto"), "auto finds that");
  t.ok(errorAfter("before", "auto", "before", {}) < 0.05 * errorAfter("before", "auto", undefined, {}));
  t.ok(errorAfter("after", "auto", "before") < 1.1 * errorAfter("after", "auto"), "another scene");
  t.ok(errorAfter("after", "temporal", "before") > 1.5 * errorAfter("after", "auto", "before"));
  t.equal(errorAfter("after", "temporal"), errorAfter("after", "data-set-mean"), "nothing before");
});

const counted = createTensor(
  "float32",
  [2, 4, 4],
  Float32Array.from({ length: 32 }, (_, i) => i),
  "chw",
);

/** All of a tensor of four blocks, from the one before. */
function concealAll(motion: Partial<BlockMotion>, framesBefore?: number): number[] {
  const tensor = createTensor("float32", [2, 4, 4], undefined, "chw");
  const whole = { blockHeight: 2, blockWidth: 2, distances: new Uint8Array(4).fill(1), ...motion };
  const reference = {
    ...{ tensor: counted, motion: { vectors: new Int8Array(8), ...whole } },
    ...(framesBefore === undefined ? {} : { framesBefore }),
  };
  conceal(tensor, new Uint8Array(32).fill(1), "temporal", { reference });
  return [...tensor.data];
}

t.test("an earlier tensor moves by its blocks' vectors", async (t) => {
  // Of four blocks the first looks one row down and one column right, the last two rows down: beyond the edge.
  const vectors = Int8Array.of(8, 8, 0, 0, 0, 0, 16, 0);
  const plane = [5, 6, 2, 3, 9, 10, 6, 7, 8, 9, 14, 15, 12, 13, 14, 15];
  t.strictSame(concealAll({ vectors }), [...plane, ...plane.map((value) => value + 16)]);
  const part = concealAll({ vectors: Int8Array.of(2, 4, 0, 0, 0, -2, 0, 0) });
  t.strictSame(part.slice(0, 2), [1.5, 2.5], "a quarter of a row down, half a column right");
  t.strictSame(part.slice(8, 10), [8, 8.75], "beyond the edge the edge");
});

t.test("vectors to another frame are drawn out or in, and go on where none is known", async (t) => {
  const vectors = Int8Array.of(8, 0, 0, 8, 0, 0, -16, 0);
  const known = Uint8Array.of(2, 0, 0, 0);
  t.strictSame(
    concealAll({ vectors, distances: known }, 2),
    concealAll({ vectors: Int8Array.of(8, 0, 8, 0, 8, 0, 8, 0) }),
  );
  t.strictSame(
    concealAll({ vectors, distances: known }, 1),
    concealAll({ vectors: Int8Array.of(4, 0, 4, 0, 4, 0, 4, 0) }),
  );
  t.strictSame(concealAll({ vectors, distances: new Uint8Array(4) }), [...counted.data], "nothing is known");
  const three = concealAll({ vectors, distances: Uint8Array.of(1, 1, 0, 1) });
  t.strictSame(
    three.slice(8, 10),
    concealAll({ vectors: new Int8Array(8) }).slice(8, 10),
    "the middle of three: 0, 0",
  );
});

t.test("motion that does not fit is refused by name", async (t) => {
  for (const [bad, field] of [
    [{ blockHeight: 0 }, "motion.blockHeight"],
    [{ blockWidth: 1.5 }, "motion.blockWidth"],
    [{ blockWidth: 1 }, "motion.distances"],
    [{ vectors: new Int8Array(7) }, "motion.vectors"],
  ] as const) {
    t.throws(() => concealAll(bad), { name: "TensorError", field });
  }
});

t.test("what does not fit is refused by name", async (t) => {
  const tensor = chw(new Float32Array(size));
  const missing = new Uint8Array(size).fill(1);
  const { neighbours, ...without } = statistics;
  t.ok(neighbours);
  t.throws(() => conceal(tensor, missing, "inter-channel", { statistics: without }), {
    name: "TensorError",
    field: "statistics.neighbours",
  });
  for (const method of ["hybrid", "inter-channel"] as const)
    t.throws(() => conceal(tensor, missing, method), { name: "TensorError", field: "statistics" });
  const reference = { tensor: createTensor("float32", [6, 8, 9], undefined, "chw") };
  t.throws(() => conceal(tensor, missing, "auto", { reference }), {
    name: "TensorError",
    field: "reference",
  });
  const flat = createTensor("float32", [8]);
  const motion = {
    ...{ blockHeight: 1, blockWidth: 8 },
    ...{ distances: new Uint8Array(1), vectors: new Int8Array(2) },
  };
  t.throws(
    () => conceal(flat, new Uint8Array(8).fill(1), "temporal", { reference: { tensor: flat, motion } }),
    { name: "TensorError", field: "motion" },
  );
  t.throws(() => createConcealer(tensor, "auto").conceal(reference.tensor, missing), {
    name: "TensorError",
    field: "tensor",
  });
});

t.test("the last good tensor", async (t) => {
  const last = createLastTensor();
  const one = createTensor("float32", [4], Float32Array.of(1, 1, 1, 1));
  const two = createTensor("float32", [4], Float32Array.of(2, 2, 2, 2));
  t.equal(last.tensor, undefined);
  last.offer(3, one, 2);
  t.equal(last.tensor, undefined, "too much is missing");
  last.offer(3, one, 1);
  t.strictSame(last.tensor?.data, one.data);
  one.data.fill(9);
  t.strictSame([...last.tensor!.data], [1, 1, 1, 1], "a copy");
  last.offer(2, two, 0);
  t.strictSame([...last.tensor!.data], [1, 1, 1, 1], "an older frame that comes late");
  last.offer(4, two, 0);
  t.strictSame([...last.tensor!.data], [2, 2, 2, 2]);
});
