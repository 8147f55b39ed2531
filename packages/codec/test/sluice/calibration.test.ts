import { calibrateTransform, createSluiceCodec } from "@sluice/codec";
import { createStatisticsAccumulator, decodeStatistics, encodeStatistics } from "@sluice/tensor";
import t from "tap";
import { createRandom } from "./made-statistics.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

const spec = { dtype: "float32", shape: [6, 8, 8], layout: "chw" } as const;
const area = 64;

/** Channels 0 to 2 are one pattern in three sizes, 3 and 4 noise, 5 is 0. */
function makeTensor(random: () => number): Float32Array {
  const phase = random() * 6;
  return Float32Array.from({ length: 6 * area }, (_, i) => {
    const c = Math.floor(i / area);
    const pattern = Math.sin(phase + (i % 8) / 3) + Math.cos(phase + Math.floor((i % area) / 8) / 4);
    return c < 3 ? (c + 1) * pattern : c < 5 ? 4 * (random() - 0.5) : 0;
  });
}

/** A network that looks at the means of channels 0 and 3 alone. */
async function runTail(tensors: readonly Float32Array[]): Promise<Float32Array[]> {
  return tensors.map((data) => {
    const mean = (c: number): number =>
      data.subarray(c * area, (c + 1) * area).reduce((a, b) => a + b) / area;
    return Float32Array.of(3 * mean(0), -3 * mean(0), 9 * mean(3), 0);
  });
}

async function calibrated() {
  const random = createRandom(seed);
  const tensors = Array.from({ length: 60 }, () => makeTensor(random));
  const accumulator = createStatisticsAccumulator("cut", spec.shape, "chw");
  for (const tensor of tensors) accumulator.add(tensor);
  const statistics = accumulator.finish();
  let last = [0, 0];
  const transform = await calibrateTransform({
    ...{ spec, statistics, tensors, runTail, random, maxRuns: 1000, tolerance: 0.003 },
    onProgress: (done, total) => {
      last = [done, total];
    },
  });
  return { last, statistics: { ...statistics, transform } };
}

t.test("bytes go where the output looks", async (t) => {
  const { statistics, last } = await calibrated();
  t.ok(last[0]! > 0 && last[0]! <= last[1]!, "progress is told");
  const stored = decodeStatistics(JSON.parse(JSON.stringify(encodeStatistics(statistics))));
  t.same(stored, statistics, "the stored form holds it all");
  const random = createRandom(seed + 1);
  const codec = createSluiceCodec();
  const encoder = codec.createEncoder(spec, statistics);
  const errors = new Float64Array(6);
  let bytes = 0;
  let moved = 0;
  const rounds = 50;
  for (let round = 0; round < rounds; round++) {
    const data = makeTensor(random);
    const partial = codec.createDecoder(spec, statistics).begin();
    for (const { index, count, payload } of encoder.encode({ ...spec, data }, 1e6).slices) {
      t.equal(partial.add(index, count, payload), undefined);
      bytes += payload.length / rounds;
    }
    const back = partial.finish().tensor.data as Float32Array;
    for (let i = 0; i < data.length; i++) {
      const c = Math.floor(i / area);
      errors[c] = errors[c]! + (data[i]! - back[i]!) ** 2 / area / rounds;
    }
    const [before, after] = await runTail([data, back]);
    moved += Math.max(...before!.map((value, k) => Math.abs(value - after![k]!))) / rounds;
  }
  t.comment(`${bytes} bytes, outputs off by ${moved}, errors of the channels ${[...errors]}`);
  t.ok(bytes < 60, "of 1,536");
  t.ok(moved < 0.5, "the output is nearly as it was");
  t.ok(errors[2]! < 9 * 0.2, "a pattern that the output sees is kept, if in another channel");
  t.ok(errors[4]! > 1.3, "noise that the output does not see is not: its variance is 4/3");
  t.ok(errors[5]! < 1e-6, "a channel that is always 0 stays so");
});

t.test("the same numbers give the same result", async (t) => {
  t.same((await calibrated()).statistics.transform, (await calibrated()).statistics.transform);
});
