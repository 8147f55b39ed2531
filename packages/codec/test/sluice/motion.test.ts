import { createHash } from "node:crypto";
import { type EncodedSlice, type EncodedTensor, parseCodec, type TensorDecoder } from "@sluice/codec";
import { type Tensor, type TensorSpec, tensorBytes } from "@sluice/tensor";
import t from "tap";
import { createBlockGrid } from "#codec/sluice/block-grid.js";
import { readVectors, vectorClass, vectorDifferences } from "#codec/sluice/motion-vectors.js";
import { bytesOf, meanSquare } from "../measure.js";
import { createRandom, madeStatistics } from "./made-statistics.js";
import { createMovingScene } from "./moving-scene.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
const cases = Number(process.env.SLUICE_FUZZ ?? 3000);
t.comment(`seed ${seed}; SLUICE_FUZZ=100000 runs the whole campaign`);

const spec: TensorSpec<"float32"> = { dtype: "float32", shape: [6, 18, 22], layout: "chw" };
const statistics = madeStatistics(spec.shape, "chw", createRandom(seed));
const still = "sluice:quality=60,layers=2,memory=4";
const moving = `${still},motion=4`;

function receive(decoder: TensorDecoder, frame: number, slices: readonly EncodedSlice[]) {
  const partial = decoder.begin(frame);
  const faults = slices.map(({ index, count, payload }) => partial.add(index, count, payload));
  return { ...partial.finish(), faults };
}

const hasVectors = ({ payload }: EncodedSlice): boolean => payload[0]! >= 128 && payload[1]! >= 32;

/** Two frames of a scene, the first one acknowledged. */
function encodePair(text: string, before: Tensor, after: Tensor, maxPayloadBytes = 150) {
  const encoder = parseCodec(text).createEncoder(spec, statistics);
  const first = encoder.encode(before, maxPayloadBytes, { frame: 0 });
  encoder.acknowledge?.(0);
  return { first, second: encoder.encode(after, maxPayloadBytes, { frame: 1 }) };
}

t.test("what moves takes a part of the bytes, and is as near", async (t) => {
  const scene = createMovingScene(spec, createRandom(seed));
  for (const [down, right, most] of [
    [1, -2, 0.55],
    [-3, 4, 0.6],
    [0.25, 0.5, 0.75],
    [1.375, -2.625, 0.6],
    [2, 0.125, 0.6],
  ] as const) {
    const [before, after] = [scene.at(0, 0), scene.at(down, right)];
    const [own, other] = [moving, still].map((text) => {
      const { first, second } = encodePair(text, before, after);
      const decoder = parseCodec(text).createDecoder(spec, statistics);
      receive(decoder, 0, first.slices);
      const result = receive(decoder, 1, second.slices);
      t.ok(result.faults.every((fault) => fault === undefined));
      t.ok(second.slices.every(({ payload }) => payload.length <= 150));
      return {
        bytes: bytesOf(second.slices),
        error: meanSquare(after, result.tensor),
        slices: second.slices,
      };
    });
    const name = `moved by ${down}, ${right}: ${own!.bytes} of ${other!.bytes} bytes`;
    t.ok(own!.slices.some(hasVectors) && own!.bytes < most * other!.bytes, name);
    t.ok(own!.error < 1.2 * other!.error, `mean square error ${own!.error}, without ${other!.error}`);
  }
});

t.test("what stands still is written as without vectors, and so are other parameters' streams", async (t) => {
  const scene = createMovingScene(spec, createRandom(seed));
  const random = createRandom(seed);
  const before = scene.at(0, 0);
  const after = scene.at(0, 0);
  for (let i = 0; i < after.data.length; i++) after.data[i]! += 0.02 * (random() - 0.5);
  t.same(encodePair(moving, before, after), encodePair(still, before, after));
  t.same(
    encodePair(`${still},motion=0`, before, scene.at(1, 1)),
    encodePair(still, before, scene.at(1, 1)),
    "motion=0 is the default",
  );
});

t.test(
  "any loss, slices split late, acknowledged late: what is decoded is what the sender meant",
  async (t) => {
    const random = createRandom(seed);
    const scene = createMovingScene(spec, createRandom(seed));
    const encoder = parseCodec(moving).createEncoder(spec, statistics);
    const decoder = parseCodec(moving).createDecoder(spec, statistics);
    const ideal = parseCodec(moving).createDecoder(spec, statistics);
    let [down, right, vectors] = [0, 0, 0];
    const waiting: { frame: number; from: number }[] = [];
    for (let frame = 0; frame < 80; frame++) {
      [down, right] = [down, right].map((at) => Math.min(15, Math.max(-15, at + 3 * (random() - 0.5)))) as [
        number,
        number,
      ];
      const encoded: EncodedTensor = encoder.encode(scene.at(down, right), 140, { frame });
      const slices = encoded.slices.flatMap((slice) =>
        random() < 0.02 ? encoded.split(slice, 90) : [slice],
      );
      vectors += slices.filter(hasVectors).length;
      const meant = receive(ideal, frame, slices);
      t.ok(
        meant.faults.every((fault) => fault === undefined),
        `frame ${frame} is sound`,
      );
      const arrived = slices.filter(() => random() >= 0.03);
      const result = receive(decoder, frame, arrived);
      t.ok(
        result.faults.every((fault) => fault === undefined),
        `frame ${frame} is taken`,
      );
      if (arrived.length === slices.length) {
        t.same(result.tensor.data, meant.tensor.data);
        waiting.push({ frame, from: frame + Math.floor(random() * 3) });
      }
      for (const { frame: due } of waiting.filter(({ from }) => from <= frame)) encoder.acknowledge?.(due);
    }
    t.ok(vectors > 60, `${vectors} slices with vectors`);
  },
);

t.test("slices that hold blocks from all over say and find the same vectors", async (t) => {
  const scene = createMovingScene(spec, createRandom(seed));
  const results = ["", "checkerboard", "pseudo-random:seed=3"].map((interleave) => {
    const encoder = parseCodec(moving).createEncoder(spec, statistics, interleave);
    const decoder = parseCodec(moving).createDecoder(spec, statistics, interleave);
    receive(decoder, 0, encoder.encode(scene.at(0, 0), 150, { frame: 0 }).slices);
    encoder.acknowledge?.(0);
    const { slices } = encoder.encode(scene.at(1, -2.5), 150, { frame: 1 });
    t.ok(slices.length > 1 && slices.some(hasVectors), `${slices.length} slices`);
    const { tensor, motion, faults } = receive(decoder, 1, slices);
    t.ok(faults.every((fault) => fault === undefined));
    return { tensor, motion };
  });
  for (const result of results) t.same(result, results[0]);
});

t.test("moved blocks are the same bits on every machine", async (t) => {
  const scene = createMovingScene(spec, createRandom(1));
  const known = madeStatistics(spec.shape, "chw", createRandom(2));
  const text = "sluice:quality=70,layers=3,memory=2,motion=6";
  const encoder = parseCodec(text).createEncoder(spec, known);
  const decoder = parseCodec(text).createDecoder(spec, known);
  const hash = createHash("sha256");
  for (let frame = 0; frame < 6; frame++) {
    const { slices } = encoder.encode(scene.at(frame * 1.125, frame * -0.625), 300, { frame });
    const result = receive(decoder, frame, slices);
    for (const { payload } of slices) hash.update(payload);
    hash.update(tensorBytes(result.tensor));
    encoder.acknowledge?.(frame);
  }
  t.equal(hash.digest("hex"), "9a7ee19993f63ae3d309cc2b5d3d159039a9be4d6c2ec8da98c421bd9ead0d9f");
});

t.test("broken slices with vectors are refused and change nothing", async (t) => {
  const random = createRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const scene = createMovingScene(spec, createRandom(seed));
  const { first, second } = encodePair(moving, scene.at(0, 0), scene.at(1.5, -2.25), 250);
  const decoder = parseCodec(moving).createDecoder(spec, statistics);
  receive(decoder, 0, first.slices);
  const partial = decoder.begin(1);
  const send = () => second.slices.map(({ index, count, payload }) => partial.add(index, count, payload));
  send();
  const before = partial.finish().tensor.data.slice();
  let taken = 0;
  for (let n = 0; n < cases; n++) {
    const { index, count, payload: sound } = second.slices[below(second.slices.length)]!;
    let payload = sound.slice();
    const kind = below(4);
    if (kind === 0) payload = payload.slice(0, 1 + below(payload.length - 1));
    else if (kind === 1) payload[below(payload.length)]! ^= 1 << below(8);
    else if (kind === 2) {
      // A head that says vectors, and anything behind it.
      for (let i = 2; i < payload.length; i++) if (below(2) === 0) payload[i] = below(256);
      payload[1] = 1 | (below(8) << 5);
    } else payload = Uint8Array.from([...payload, below(256)]);
    if (payload.every((byte, i) => byte === sound[i]) && payload.length === sound.length) continue;
    if (partial.add(index, count, payload) !== undefined) continue;
    taken++;
    send();
  }
  t.ok(taken < cases / 50, `${taken} of ${cases} were taken`);
  t.same(partial.finish().tensor.data, before);
});

t.test("vectors are told from their neighbours, and only what is in the slice", async (t) => {
  const grid = createBlockGrid(spec, [4, 4]);
  const random = createRandom(seed);
  for (let n = 0; n < 200; n++) {
    const vectors = Int8Array.from({ length: 2 * grid.blocks }, () => Math.floor(random() * 65) - 32);
    const blocks = Array.from({ length: grid.blocks }, (_, block) => block).filter(() => random() < 0.7);
    const differences = vectorDifferences(grid, blocks, vectors);
    const read = readVectors(grid, blocks, differences, 4)!;
    for (const block of blocks) {
      t.same(read.slice(2 * block, 2 * block + 2), vectors.slice(2 * block, 2 * block + 2));
    }
    t.equal(
      readVectors(grid, blocks, differences, 3) === undefined,
      blocks.some((b) => Math.max(...[vectors[2 * b]!, vectors[2 * b + 1]!].map(Math.abs)) > 24),
    );
  }
  const alike = new Int8Array(2 * grid.blocks).fill(-7);
  const all = Array.from({ length: grid.blocks }, (_, block) => block);
  const differences = vectorDifferences(grid, all, alike);
  t.same([...differences.slice(0, 2)], [-7, -7]);
  t.ok(
    differences.slice(2).every((value) => value === 0),
    "one motion is said once",
  );
  t.equal(vectorClass(new Int32Array(4)), 1);
  t.equal(vectorClass(Int32Array.of(1, -1)), 4);
  t.equal(vectorClass(Int32Array.of(240, -240)), 7);
});

t.test("all shapes and layouts, blocks that are cut off, components that are channels", async (t) => {
  for (const [shape, layout] of [
    [[1], "any"],
    [[3, 5], "any"],
    [[5, 1, 9], "chw"],
    [[3, 9, 1], "hwc"],
    [[13, 6, 2], "hwc"],
    [[17, 7, 7], "chw"],
  ] as const) {
    for (const block of [
      [1, 1],
      [4, 4],
      [8, 3],
    ] as const) {
      for (const plain of [false, true]) {
        const own: TensorSpec = { dtype: "float32", shape, layout };
        const known = madeStatistics(shape, layout, createRandom(1), { block, plain });
        const encoder = parseCodec(moving).createEncoder(own, known);
        const decoder = parseCodec(moving).createDecoder(own, known);
        const alone = parseCodec("sluice:quality=60,layers=2").createEncoder(own, known);
        const random = createRandom(seed);
        const rows = Float32Array.from({ length: 2000 }, () => 10 * random());
        for (let frame = 0; frame < 3; frame++) {
          const length = shape.reduce((product: number, size) => product * size, 1);
          const tensor: Tensor = { ...own, data: rows.slice(frame, frame + length) } as Tensor;
          const { slices } = encoder.encode(tensor, 300, { frame });
          const result = receive(decoder, frame, slices);
          encoder.acknowledge?.(frame);
          const name = `[${shape}] ${layout}, blocks of ${block}, frame ${frame}`;
          const reference = parseCodec("sluice:quality=60,layers=2").createDecoder(own, known);
          const intra = receive(reference, frame, alone.encode(tensor, 300).slices);
          t.ok(result.faults.every((fault) => fault === undefined) && result.missingCount === 0, name);
          t.ok(meanSquare(tensor, result.tensor) < 3 * meanSquare(tensor, intra.tensor) + 0.05, name);
        }
      }
    }
  }
});

t.test("what cannot be is refused and named", async (t) => {
  t.throws(() => parseCodec("sluice:motion=16"), /codec.sluice.motion: must be an integer from 0 to 15/);
  const large: TensorSpec = { dtype: "float32", shape: [6, 2048, 1024], layout: "chw" };
  const known = madeStatistics(large.shape, "chw", createRandom(1));
  t.throws(
    () => parseCodec("sluice:memory=4,motion=1").createDecoder(large, known),
    /codec.sluice.memory: 4 frames of 12582912 elements, at most 2/,
  );
});
