import { createSluiceCodec, type EncodedTensor, parseCodec, type TensorDecoder } from "@sluice/codec";
import type { Tensor, TensorSpec } from "@sluice/tensor";
import t from "tap";
import { acknowledgementCases } from "../acknowledgements.js";
import { createRandom, madeStatistics, smoothTensor } from "./made-statistics.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

const spec: TensorSpec<"float32"> = { dtype: "float32", shape: [6, 16, 16], layout: "chw" };
const statistics = madeStatistics(spec.shape, "chw", createRandom(seed));
const text = "sluice:quality=60,layers=2,memory=4";

/** The same scene with other noise, and something that moves through it. */
function scene(frame: number, random: () => number): Tensor {
  const tensor = smoothTensor(spec, createRandom(seed), 0);
  for (let i = 0; i < tensor.data.length; i++) {
    const isThere = Math.floor(i / 16) % 16 < 4 && Math.floor((i % 16) / 2) === frame % 8;
    tensor.data[i] = (isThere ? 9 : tensor.data[i]!) + 0.05 * (random() - 0.5);
  }
  return tensor;
}

const bytesOf = ({ slices }: EncodedTensor): number =>
  slices.reduce((sum, { payload }) => sum + payload.length, 0);

/** Gives a decoder all slices but those that are lost. */
function receive(
  decoder: TensorDecoder,
  frame: number,
  encoded: EncodedTensor,
  isLost = (_: number) => false,
) {
  const partial = decoder.begin(frame);
  const faults = encoded.slices.map(({ index, count, payload }, i) =>
    isLost(i) ? "lost" : partial.add(index, count, payload),
  );
  return { ...partial.finish(), faults };
}

function largestDifference(a: Tensor, b: Tensor): number {
  let most = 0;
  for (let i = 0; i < a.data.length; i++) most = Math.max(most, Math.abs(a.data[i]! - b.data[i]!));
  return most;
}

t.test("what is like an acknowledged frame takes a fraction, and is as near as without", async (t) => {
  const random = createRandom(seed);
  const encoder = parseCodec(text).createEncoder(spec, statistics);
  const decoder = parseCodec(text).createDecoder(spec, statistics);
  const alone = parseCodec("sluice:quality=60,layers=2").createEncoder(spec, statistics);
  const aloneDecoder = parseCodec("sluice:quality=60,layers=2").createDecoder(spec, statistics);
  let predicted = 0;
  let intra = 0;
  for (let frame = 0; frame < 12; frame++) {
    const tensor = scene(frame, random);
    const encoded = encoder.encode(tensor, 150, { frame });
    const apart = alone.encode(tensor, 150, { frame });
    const result = receive(decoder, frame, encoded);
    t.equal(result.missingCount, 0);
    const [error, own] = [result, receive(aloneDecoder, frame, apart)].map((of) =>
      largestDifference(of.tensor, tensor),
    );
    t.ok(error! < 2 * own! + 0.2, `frame ${frame}: off by ${error}, alone by ${own}`);
    // What was sent two frames ago has been acknowledged meanwhile.
    encoder.acknowledge?.(frame - 2);
    if (frame < 3) t.same(encoded.slices, apart.slices, "nothing is acknowledged yet");
    else {
      predicted += bytesOf(encoded);
      intra += bytesOf(apart);
    }
  }
  t.ok(predicted < 0.5 * intra, `${predicted} of ${intra} bytes`);
});

t.test(
  "nothing is predicted from a frame that is not acknowledged, too old, or cut to another quality",
  async (t) => {
    const random = createRandom(seed);
    const tensor = scene(0, random);
    const make = () =>
      createSluiceCodec({ quality: 60, layers: 2, memory: 4 }).createEncoder(spec, statistics);
    const isPredicted = ({ slices }: EncodedTensor): boolean =>
      slices.some(({ payload }) => payload[0]! >= 128);
    for (const [name, frame, acknowledged, expected] of acknowledgementCases) {
      const encoder = make();
      encoder.encode(tensor, 1e6, { frame: 0 });
      for (const number of acknowledged) encoder.acknowledge?.(number);
      t.equal(isPredicted(encoder.encode(tensor, 1e6, frame === undefined ? {} : { frame })), expected, name);
    }
    const encoder = make();
    const first = encoder.encode(tensor, 400, { frame: 0 });
    const parts = first.slices.flatMap((slice) => first.split(slice, 60));
    encoder.acknowledge?.(0);
    t.equal(
      parts.every(({ payload }) => payload[0] === 60),
      isPredicted(encoder.encode(tensor, 400, { frame: 1 })),
    );
  },
);

t.test(
  "a slice whose reference is missing or incomplete is refused; one that has it decodes the same later",
  async (t) => {
    const random = createRandom(seed);
    const encoder = parseCodec(text).createEncoder(spec, statistics);
    const [before, after] = [scene(0, random), scene(1, random)];
    const first = encoder.encode(before, 150, { frame: 10 });
    encoder.acknowledge?.(10);
    const second = encoder.encode(after, 150, { frame: 11 });
    const whole = parseCodec(text).createDecoder(spec, statistics);
    receive(whole, 10, first);
    const expected = receive(whole, 11, second);
    t.ok(expected.faults.every((fault) => fault === undefined));
    for (const [name, frame, isLost] of [
      ["a slice of it is missing", 11, (i: number) => i === 0],
      ["it is another frame", 12, () => false],
      ["it is too long ago", 20, () => false],
    ] as const) {
      const decoder = parseCodec(text).createDecoder(spec, statistics);
      receive(decoder, 10, first, isLost);
      const result = receive(decoder, frame, second);
      const predicted = second.slices.map(({ payload }) => payload[0]! >= 128);
      t.same(
        result.faults.map((fault) => fault === "parameter"),
        predicted,
        name,
      );
    }
    const unnumbered = parseCodec(text).createDecoder(spec, statistics).begin();
    const predicted = second.slices.find(({ payload }) => payload[0]! >= 128)!;
    t.equal(unnumbered.add(predicted.index, predicted.count, predicted.payload), "parameter");
    const without = parseCodec("sluice:layers=2").createDecoder(spec, statistics);
    t.equal(without.begin(11).add(predicted.index, predicted.count, predicted.payload), "parameter");
    // Many frames pass: only the last ones are kept.
    for (let frame = 12; frame < 30; frame++) whole.begin(frame);
    t.ok(receive(whole, 11, second).faults.some((fault) => fault === "parameter"));
  },
);

t.test("any loss: what is decoded is what the sender meant", async (t) => {
  const random = createRandom(seed);
  const encoder = parseCodec(text).createEncoder(spec, statistics);
  const decoder = parseCodec(text).createDecoder(spec, statistics);
  const ideal = parseCodec(text).createDecoder(spec, statistics);
  let predicted = 0;
  for (let frame = 0; frame < 60; frame++) {
    const encoded = encoder.encode(scene(frame, random), 120, { frame });
    const meant = receive(ideal, frame, encoded);
    let isWhole = true;
    const result = receive(decoder, frame, encoded, () => {
      const isLost = random() < 0.05;
      if (isLost) isWhole = false;
      return isLost;
    });
    predicted += result.faults.filter((_, i) => encoded.slices[i]!.payload[0]! >= 128).length;
    t.ok(
      result.faults.every((fault) => fault === undefined || fault === "lost"),
      `frame ${frame}`,
    );
    if (isWhole) {
      t.same(result.tensor.data, meant.tensor.data);
      encoder.acknowledge?.(frame);
    }
  }
  t.ok(predicted > 30, `${predicted} predicted slices`);
});

t.test("broken predicted slices are refused", async (t) => {
  const random = createRandom(seed);
  const encoder = parseCodec(text).createEncoder(spec, statistics);
  const decoder = parseCodec(text).createDecoder(spec, statistics);
  receive(decoder, 0, encoder.encode(scene(0, random), 1e6, { frame: 0 }));
  encoder.acknowledge?.(0);
  const { index, count, payload } = encoder.encode(scene(1, random), 1e6, { frame: 1 }).slices[0]!;
  const partial = decoder.begin(1);
  let taken = 0;
  for (let n = 0; n < 2000; n++) {
    const broken =
      n % 2 === 0 ? payload.slice(0, 1 + Math.floor(random() * (payload.length - 1))) : payload.slice();
    if (n % 2 === 1) broken[Math.floor(random() * broken.length)]! ^= 1 << Math.floor(random() * 8);
    if (partial.add(index, count, broken) === undefined) taken++;
  }
  t.ok(taken < 100, `${taken} of 2,000 were taken`);
  t.ok(partial.finish().tensor.data.every(Number.isFinite));
});

t.test("memory has a limit", async (t) => {
  const large: TensorSpec = { dtype: "float32", shape: [6, 2048, 1024], layout: "chw" };
  const known = madeStatistics(large.shape, "chw", createRandom(1));
  t.throws(
    () => parseCodec("sluice:memory=16").createDecoder(large, known),
    /codec.sluice.memory: 16 frames of 12582912 elements, at most 5/,
  );
});

t.test("a decoder with the references of another goes on as that one would, bit for bit", async (t) => {
  const random = createRandom(seed);
  const encoder = parseCodec(text).createEncoder(spec, statistics);
  const decoder = parseCodec(text).createDecoder(spec, statistics);
  t.strictSame(decoder.references?.(), []);
  let predicted = 0;
  for (let frame = 0; frame < 12; frame++) {
    const encoded = encoder.encode(scene(frame, random), 300, { frame });
    const isLost = (i: number) => frame % 3 === 1 && i % 2 === 0;
    const twin = parseCodec(text).createDecoder(spec, statistics);
    twin.restore?.(decoder.references?.() ?? []);
    const received = receive(decoder, frame, encoded, isLost);
    t.strictSame(receive(twin, frame, encoded, isLost), received, `frame ${frame}`);
    t.strictSame(twin.references?.(), decoder.references?.());
    if (frame % 3 !== 1) encoder.acknowledge?.(frame);
    predicted += encoded.slices.filter(({ payload }) => payload[0]! & 0x80).length;
  }
  t.ok(predicted > 10, `${predicted} predicted slices`);
  t.throws(() => decoder.restore?.([{ frame: 1, values: new Float32Array(3) }]), {
    message: /references/,
  });
});
