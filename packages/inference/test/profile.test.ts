import { prepareCodec } from "@sluice/codec";
import {
  bestByBandwidth,
  createSeededRandom,
  createSyntheticSource,
  loadModel,
  measureDistribution,
  measureProfile,
  type ProfileOptions,
  sliceOverheadBytes,
} from "@sluice/inference";
import { type InferenceTerms, totalInferenceMs } from "@sluice/protocol";
import type { Tensor } from "@sluice/tensor";
import t from "tap";

t.test("the fastest way at each bandwidth is what trying all of them finds", (t) => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = createSeededRandom(seed);
    const options = Array.from({ length: 1 + Math.floor(random() * 8) }, (_, i): InferenceTerms => {
      const bytes = i === 0 ? 0 : Math.round(random() * 100_000);
      return {
        clientMs: 100 * random(),
        encodeMs: random(),
        bytes,
        decodeMs: random(),
        serverMs: 30 * random(),
      };
    });
    const rttMs = 40 * random();
    const intervals = bestByBandwidth(options, rttMs);
    t.equal(intervals[0]!.fromBitsPerSecond, 0, `seed ${seed}`);
    t.equal(intervals.at(-1)!.toBitsPerSecond, Number.POSITIVE_INFINITY);
    for (let i = 1; i < intervals.length; i++) {
      t.equal(intervals[i]!.fromBitsPerSecond, intervals[i - 1]!.toBitsPerSecond);
    }
    for (let i = 0; i < 40; i++) {
      const bitsPerSecond = 1e3 * 1e7 ** random();
      const found = intervals.find(
        ({ fromBitsPerSecond: from, toBitsPerSecond: to }) => bitsPerSecond >= from && bitsPerSecond < to,
      );
      const least = Math.min(...options.map((option) => totalInferenceMs(option, { bitsPerSecond, rttMs })));
      const told = totalInferenceMs(found!.option, { bitsPerSecond, rttMs });
      t.ok(told <= least * (1 + 1e-9), `seed ${seed}: ${told} at ${bitsPerSecond}, ${least} is the least`);
    }
  }
  t.same(bestByBandwidth([], 0), []);
  t.end();
});

t.test("where one way takes over from another", (t) => {
  const here = { clientMs: 100, encodeMs: 0, bytes: 0, decodeMs: 0, serverMs: 0 };
  const there = { clientMs: 0, encodeMs: 0, bytes: 10_000, decodeMs: 0, serverMs: 20 };
  // 100 = 20 + RTT 40 + 80,000 bits / B
  t.same(bestByBandwidth([there, here], 40), [
    { option: here, fromBitsPerSecond: 0, toBitsPerSecond: 2e6 },
    { option: there, fromBitsPerSecond: 2e6, toBitsPerSecond: Number.POSITIVE_INFINITY },
  ]);
  t.end();
});

t.test("how values are distributed", (t) => {
  const random = createSeededRandom(4);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const tensors = [0, 1].map(() => Float32Array.from({ length: 50_000 }, () => 5 + 2 * normal()));
  const { count, mean, deviation, within3Sigma, histogram } = measureDistribution(tensors);
  t.equal(count, 100_000);
  t.ok(Math.abs(mean - 5) < 0.03 && Math.abs(deviation - 2) < 0.02, `${mean} +- ${deviation}`);
  t.ok(Math.abs(within3Sigma - 0.9973) < 0.0006, String(within3Sigma));
  t.equal(
    histogram.reduce((sum, bin) => sum + bin, 0),
    count,
  );
  t.ok(histogram[15]! > 9000 && histogram[0]! < 50);
  t.match(measureDistribution([[3, 3]]), { mean: 3, deviation: 0, min: 3, max: 3, within3Sigma: 1 });
  t.end();
});

/** A clock that moves on by one for each look. */
function countingClock(): () => number {
  let looks = 0;
  return () => looks++;
}

async function profileOptions(overrides: Partial<ProfileOptions> = {}): Promise<ProfileOptions> {
  const inputs: Tensor[] = [];
  for await (const { image } of createSyntheticSource([1, 28, 28], { seed: 6, count: 3 })) inputs.push(image);
  return {
    ...{ inputs, runs: 3, engine: { threads: 1 }, now: countingClock() },
    codecs: [await prepareCodec("raw"), await prepareCodec("quantize:levels=8 | entropy")],
    inputCodecs: [{ codec: await prepareCodec("raw"), asBytes: true }],
    splits: ["add_3", "pool"],
    statistics: async () => undefined,
    ...overrides,
  };
}

t.test(
  "a profile has a way for the client, for each codec of the input, for each cut and codec",
  async (t) => {
    const model = await loadModel("fashion");
    const seen: string[] = [];
    const options = await profileOptions({
      onProgress: (done, total, split) => seen.push(`${done}/${total} ${split}`),
    });
    const { profile, layers, skipped } = await measureProfile(model, options);
    t.same(seen, ["0/3 ", "1/3 add_3", "2/3 pool", "3/3 "]);
    t.same(
      profile.options.map(({ strategy, split, codec }) => [strategy, split, codec.split(":", 1)[0]]),
      [
        ["client", "", ""],
        ["server", "", "raw"],
        ["shared", "add_3", "raw"],
        ["shared", "add_3", "quantize"],
        ["shared", "pool", "raw"],
        ["shared", "pool", "quantize"],
      ],
    );
    // The clock counts looks at it, two for each run.
    const [client, server, add3] = profile.options;
    t.match(client, { clientMs: 1, encodeMs: 0, bytes: 0, decodeMs: 0, serverMs: 0 });
    t.match(server, { clientMs: 0, encodeMs: 1, bytes: 784 + sliceOverheadBytes, decodeMs: 1, serverMs: 1 });
    t.match(add3, { clientMs: 1, encodeMs: 1, decodeMs: 1, serverMs: 1 });
    t.equal(add3!.bytes, 4 * 12544 + Math.ceil((4 * 12544) / 1100) * sliceOverheadBytes);
    t.ok(profile.options[3]!.bytes < add3!.bytes / 8);
    t.match(layers[0], {
      split: "add_3",
      operation: "Add",
      elements: 12544,
      uncompressedBytes: 50176,
      compressedBytes: 50176,
    });
    t.equal(layers[0]!.distribution.count, 3 * 12544);
    t.same(skipped, []);
  },
);

t.test("a codec that does not take a tensor is left out with the reason", async (t) => {
  const model = await loadModel("fashion");
  const options = await profileOptions({
    codecs: [await prepareCodec("sluice")],
    inputCodecs: [],
    splits: ["sub"],
  });
  const { profile, skipped } = await measureProfile(model, options);
  t.equal(profile.options.length, 1);
  t.match(skipped, [{ split: "sub", codec: /sluice/, reason: /statistics/ }]);
});

t.test("a split that is none, and an end before the end", async (t) => {
  const model = await loadModel("fashion");
  await t.rejects(
    profileOptions({ splits: ["ad_3"] }).then((options) => measureProfile(model, options)),
    /nearest: "add_3"/,
  );
  const signal = AbortSignal.abort();
  await t.rejects(
    profileOptions({ signal }).then((options) => measureProfile(model, options)),
    { name: "AbortError" },
  );
});
