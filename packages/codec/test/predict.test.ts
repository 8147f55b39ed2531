import {
  type EncodedSlice,
  entropy,
  integers,
  parseCodec,
  pipe,
  predict,
  quantize,
  type TensorDecoder,
} from "@sluice/codec";
import { createTensor, type Tensor, type TensorSpec } from "@sluice/tensor";
import t from "tap";
import { acknowledgementCases } from "./acknowledgements.js";
import { bytesOf } from "./measure.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
const cases = Number(process.env.SLUICE_FUZZ ?? 3000);
t.comment(`seed ${seed}; SLUICE_FUZZ=100000 runs the whole campaign`);

function createRandom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const bytes: TensorSpec<"uint8"> = { dtype: "uint8", shape: [3, 20, 20], layout: "chw" };
const floats: TensorSpec<"float32"> = { ...bytes, dtype: "float32" };
const size = 1200;

/** A picture with noise of its own for each frame, of which a little changes. */
function scene(spec: TensorSpec, random: () => number): () => Tensor {
  const picture = Float32Array.from({ length: size }, () => Math.floor(random() * 200));
  return () => {
    for (let n = 0; n < 20; n++) picture[Math.floor(random() * size)] = Math.floor(random() * 200);
    const tensor = createTensor(spec.dtype, spec.shape, undefined, spec.layout);
    for (let i = 0; i < size; i++) tensor.data[i] = picture[i]! + Math.round(random());
    return tensor;
  };
}

function receive(decoder: TensorDecoder, frame: number | undefined, slices: readonly EncodedSlice[]) {
  const partial = decoder.begin(frame);
  const faults = slices.map(({ index, count, payload }) => partial.add(index, count, payload));
  return { ...partial.finish(), faults };
}

t.test("any loss: what comes is what was sent, bit for bit, in a fraction of the bytes", async (t) => {
  for (const chain of ["integers | predict:memory=4 | entropy", "integers | predict:memory=4"]) {
    const random = createRandom(seed);
    const next = scene(bytes, random);
    const encoder = parseCodec(chain).createEncoder(bytes);
    const decoder = parseCodec(chain).createDecoder(bytes);
    const alone = parseCodec("integers | entropy").createEncoder(bytes);
    const sum = { predicted: 0, intra: 0, slices: 0 };
    for (let frame = 0; frame < 60; frame++) {
      const tensor = next();
      const { slices } = encoder.encode(tensor, 300, { frame });
      const arrived = slices.filter(() => random() >= 0.03);
      const { tensor: back, missing, faults } = receive(decoder, frame, arrived);
      t.ok(faults.every((fault) => fault === undefined));
      t.ok(back.data.every((value, i) => missing[i] !== 0 || value === tensor.data[i]));
      if (arrived.length === slices.length) encoder.acknowledge?.(frame);
      sum.slices += slices.filter(({ payload }) => payload[0]! > 0).length;
      sum.predicted += bytesOf(slices);
      sum.intra += bytesOf(alone.encode(tensor, 300).slices);
    }
    t.ok(sum.slices > 60, `${sum.slices} slices were predicted`);
    if (chain.endsWith("entropy")) t.ok(sum.predicted < 0.5 * sum.intra, JSON.stringify(sum));
  }
});

t.test("a scene that changes costs no more than a byte a slice", async (t) => {
  const random = createRandom(seed);
  const noise = () =>
    createTensor(
      "uint8",
      bytes.shape,
      Uint8Array.from({ length: size }, () => 256 * random()),
      "chw",
    );
  const encoder = pipe(integers(), predict(), entropy()).createEncoder(bytes);
  const alone = pipe(integers(), entropy()).createEncoder(bytes);
  const before = noise();
  encoder.encode(before, 300, { frame: 0 });
  encoder.acknowledge?.(0);
  // Frames are cut as those before them were.
  alone.encode(before, 300);
  // Its slope is told by neighbours, and not by the noise of before.
  const slope = createTensor(
    "uint8",
    bytes.shape,
    Uint8Array.from({ length: size }, (_, i) => (i % 20) * 5),
    "chw",
  );
  const { slices } = encoder.encode(slope, 300, { frame: 1 });
  t.ok(slices.every(({ payload }) => payload[0] === 0));
  const [own, other] = [slices, alone.encode(slope, 300).slices].map(bytesOf);
  t.ok(own! <= other! + slices.length, `${own} bytes in ${slices.length} slices, alone ${other}`);
});

t.test("nothing is predicted from what the receiver may lack", async (t) => {
  const isPredicted = (slices: readonly EncodedSlice[]): boolean =>
    slices.some(({ payload }) => payload[0]! > 0);
  for (const [name, frame, acknowledged, expected] of acknowledgementCases) {
    const next = scene(bytes, createRandom(seed));
    const encoder = pipe(integers(), predict({ memory: 4 }), entropy()).createEncoder(bytes);
    encoder.encode(next(), 300, { frame: 0 });
    for (const number of acknowledged) encoder.acknowledge?.(number);
    const { slices } = encoder.encode(next(), 300, frame === undefined ? {} : { frame });
    t.equal(isPredicted(slices), expected, name);
  }
  t.equal(parseCodec("integers | entropy").createEncoder(bytes).acknowledge, undefined);
});

t.test("a slice whose frame before is not there is refused", async (t) => {
  const codec = pipe(integers(), predict({ memory: 4 }), entropy());
  const next = scene(bytes, createRandom(seed));
  const encoder = codec.createEncoder(bytes);
  const first = encoder.encode(next(), 300, { frame: 10 }).slices;
  encoder.acknowledge?.(10);
  const second = encoder.encode(next(), 300, { frame: 11 }).slices;
  const whole = codec.createDecoder(bytes);
  receive(whole, 10, first);
  t.ok(receive(whole, 11, second).faults.every((fault) => fault === undefined));
  for (const [name, frame, slices] of [
    ["a slice of it is missing", 11, first.slice(1)],
    ["it is another frame", 12, first],
    ["it is too long ago", 20, first],
    ["frames have no numbers", undefined, first],
  ] as const) {
    const decoder = codec.createDecoder(bytes);
    receive(decoder, 10, slices);
    t.ok(
      receive(decoder, frame, second).faults.every((fault) => fault === "parameter"),
      name,
    );
  }
  // Many frames pass: only the last ones are kept.
  for (let frame = 12; frame < 30; frame++) whole.begin(frame);
  t.ok(receive(whole, 11, second).faults.every((fault) => fault === "parameter"));
});

t.test("a frame of which an element came in two ways is no reference, at either end", async (t) => {
  const codec = pipe(quantize({ levels: 32 }), predict(), entropy());
  const encoder = codec.createEncoder(floats);
  const next = scene(floats, createRandom(seed));
  const tensor = next();
  const encoded = encoder.encode(tensor, 600, { frame: 0 });
  const wide = next();
  wide.data[0] = 900;
  // Its range is held from there on, so that a part of the first frame that is split late has other symbols.
  encoder.encode(wide, 600, { frame: 1 });
  const parts = encoded.split(encoded.slices[0]!, 300);
  encoder.acknowledge?.(0);
  t.ok(encoder.encode(next(), 600, { frame: 2 }).slices.every(({ payload }) => payload[8] === 0));
  const decoder = codec.createDecoder(floats);
  receive(decoder, 0, [...encoded.slices, ...parts]);
  t.same(decoder.references?.(), []);
});

t.test("what a decoder depends on can be kept and put back", async (t) => {
  const codec = pipe(quantize({ levels: 300 }), predict());
  const next = scene(floats, createRandom(seed));
  const encoder = codec.createEncoder(floats);
  const decoder = codec.createDecoder(floats);
  receive(decoder, 0, encoder.encode(next(), 900, { frame: 0 }).slices);
  encoder.acknowledge?.(0);
  const { slices } = encoder.encode(next(), 900, { frame: 1 });
  t.ok(slices.some(({ payload }) => payload[8] === 1));
  const other = codec.createDecoder(floats);
  other.restore?.(decoder.references!());
  t.same(receive(other, 1, slices), receive(decoder, 1, slices));
  for (const values of [
    new Float32Array(7),
    new Float32Array(size).fill(300),
    new Float32Array(size).fill(0.5),
  ]) {
    t.throws(
      () => other.restore?.([{ frame: 5, values }]),
      /references: frame 5: must be 1200 symbols below 300/,
    );
  }
});

t.test("a range is held while it suits, and every tensor lies within it", async (t) => {
  const random = createRandom(seed);
  const codec = parseCodec("quantize:levels=64,clip=100 | predict | entropy");
  const encoder = codec.createEncoder(floats);
  const decoder = codec.createDecoder(floats);
  let held = 0;
  let before = "";
  for (let frame = 0; frame < 80; frame++) {
    const scale = frame === 50 ? 0.2 : 1 + 0.05 * random();
    const shift = 3 * random();
    const tensor = createTensor("float32", floats.shape, undefined, "chw");
    for (let i = 0; i < size; i++) tensor.data[i] = scale * (100 * random() - 50) + shift;
    const { slices } = encoder.encode(tensor, 600, { frame });
    const range = [...slices[0]!.payload.subarray(0, 8)].join();
    if (range === before) held++;
    before = range;
    const { tensor: back } = receive(decoder, frame, slices);
    encoder.acknowledge?.(frame);
    const width = Math.max(...tensor.data) - Math.min(...tensor.data);
    let worst = 0;
    for (let i = 0; i < size; i++) worst = Math.max(worst, Math.abs(back.data[i]! - tensor.data[i]!));
    t.ok(worst <= (0.51 * 1.3 * width) / 63, `frame ${frame}: off by ${worst}`);
  }
  t.ok(held > 50, `held ${held} times of 79`);
});

t.test("broken slices are refused or decode to something, and never harm a later frame", async (t) => {
  const random = createRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const codec = pipe(integers(), predict({ memory: 4 }), entropy());
  const next = scene(bytes, random);
  const encoder = codec.createEncoder(bytes);
  const decoder = codec.createDecoder(bytes);
  receive(decoder, 0, encoder.encode(next(), 300, { frame: 0 }).slices);
  encoder.acknowledge?.(0);
  const last = next();
  const { slices } = encoder.encode(last, 300, { frame: 1 });
  const faults: Record<string, number> = {};
  for (let n = 0; n < cases; n++) {
    const { index, count, payload } = slices[below(slices.length)]!;
    const kind = below(4);
    let broken = payload.slice();
    if (kind === 0) broken = broken.slice(0, below(broken.length));
    else if (kind === 1) broken[below(broken.length)]! ^= 1 << below(8);
    else if (kind === 2) broken[0] = below(256);
    else broken = Uint8Array.from({ length: below(400) }, () => below(256));
    // Frame 3 is a frame apart from that which is decoded at the end.
    const fault = decoder.begin(3).add(below(4) === 0 ? below(count) : index, count, broken);
    faults[fault ?? "taken"] = (faults[fault ?? "taken"] ?? 0) + 1;
  }
  t.comment(JSON.stringify(faults));
  t.ok((faults.payload ?? 0) > cases / 10 && (faults.parameter ?? 0) > cases / 20);
  t.strictSame(receive(decoder, 1, slices).tensor, last);
});

t.test("what cannot be is refused and named", async (t) => {
  t.throws(() => predict({ memory: 17 }), /codec.predict.memory: must be an integer from 1 to 16/);
  t.throws(
    () => parseCodec("integers | predict | predict"),
    /codec: one stage of a chain can look at earlier frames/,
  );
  t.throws(
    () => parseCodec("integers | predict | tile | jpeg").createDecoder(bytes),
    /codec.tile: changes symbols that predict must get back as they are/,
  );
  t.throws(
    () => parseCodec("integers | predict:memory=16").createEncoder({ ...bytes, shape: [6, 2048, 1024] }),
    /codec.predict.memory: 16 frames of 12582912 elements, at most 5/,
  );
});
