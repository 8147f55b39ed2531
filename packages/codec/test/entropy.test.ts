import { type EncodedSlice, entropy, integers, parseCodec, pipe, quantize } from "@sluice/codec";
import { createTensor, psnr, sliceRange, type Tensor } from "@sluice/tensor";
import fc from "fast-check";
import t from "tap";
import { createAdaptiveBits, resetAdaptiveBits } from "#codec/entropy/adaptive-bits.js";
import { createRangeDecoder } from "#codec/entropy/range-decoder.js";
import { createRangeEncoder } from "#codec/entropy/range-encoder.js";
import { fold, unfold } from "#codec/entropy/symbol-coding.js";
import { waveTensor } from "./wave-tensor.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

/** Decodes all slices in reverse; throws where one is refused or an element missing. */
function decode(text: string, tensor: Tensor, slices: readonly EncodedSlice[]): Tensor {
  const partial = parseCodec(text).createDecoder(tensor).begin();
  for (const { index, count, payload } of slices.toReversed()) {
    const fault = partial.add(index, count, payload);
    if (fault) throw new Error(`slice ${index} of ${count}: ${fault}`);
  }
  if (partial.finish().missingCount > 0) throw new Error("elements are missing");
  return partial.finish().tensor;
}

t.test("any decisions come back from their bytes and no others", async () => {
  const decisions = fc.array(fc.record({ context: fc.nat(4), bit: fc.nat(1) }), {
    maxLength: 400,
    size: "max",
  });
  const skewed = fc
    .tuple(decisions, fc.nat(3))
    .map(([list, keep]) => list.map(({ context, bit }, i) => ({ context, bit: i % 4 > keep ? 0 : bit })));
  fc.assert(
    fc.property(fc.oneof(decisions, skewed), (list) => {
      const bits = createAdaptiveBits(4);
      resetAdaptiveBits(bits);
      const encoder = createRangeEncoder();
      encoder.start();
      for (const { context, bit } of list) {
        if (context === 4) encoder.encodeEven(bit);
        else encoder.encode(bits, context, bit);
      }
      const bytes = encoder.finish().slice();
      const read = (source: Uint8Array) => {
        resetAdaptiveBits(bits);
        const decoder = createRangeDecoder();
        decoder.start(source);
        const got = list.map(({ context }) =>
          context === 4 ? decoder.decodeEven() : decoder.decode(bits, context),
        );
        return { got, isAtEnd: decoder.isAtEnd };
      };
      const wanted = list.map(({ bit }) => bit).join();
      const isRead = (source: Uint8Array) => {
        const { got, isAtEnd } = read(source);
        return isAtEnd && got.join() === wanted;
      };
      return isRead(bytes) && !isRead(Uint8Array.of(...bytes, 0)) && !isRead(bytes.subarray(0, -1));
    }),
    { seed, numRuns: 1500 },
  );
});

t.test("carries go through any number of bytes", async (t) => {
  // Always the half above: low goes to the top of the range and a carry through everything before.
  for (const length of [7, 8, 9, 63, 64, 65, 300]) {
    const list = [...new Array<number>(length).fill(0), 1, ...new Array<number>(length).fill(0)];
    const encoder = createRangeEncoder();
    encoder.start();
    for (const bit of list) encoder.encodeEven(bit);
    const decoder = createRangeDecoder();
    decoder.start(encoder.finish());
    t.strictSame(
      list.map(() => decoder.decodeEven()),
      list,
    );
  }
});

t.test("differences are numbered without a gap", async (t) => {
  for (const levels of [9, 10, 255, 256]) {
    for (let mean = 0; mean < levels; mean++) {
      const numbers = Array.from({ length: levels }, (_, symbol) => fold(symbol, mean, levels));
      if (new Set(numbers).size !== levels || Math.max(...numbers) !== levels - 1)
        t.fail(`${levels}, ${mean}`);
      if (numbers.some((number, symbol) => unfold(number, mean, levels) !== symbol))
        t.fail(`${levels}, ${mean}`);
    }
  }
  t.pass("all");
});

t.test("symbols of any number of levels, shape and slices come back", async () => {
  const shape = fc.oneof(
    fc.tuple(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 20 }),
    ),
    fc.tuple(fc.integer({ min: 1, max: 300 })),
    fc.constant([]),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 256 }),
      shape,
      fc.constantFrom("chw", "hwc"),
      fc.integer({ min: 20, max: 400 }),
      fc.nat(),
      (levels, shape, layout, maxPayloadBytes, noise) => {
        const tensor = waveTensor("float32", shape, shape.length === 3 ? layout : "any", noise);
        const text = `quantize:levels=${levels}`;
        const plain = parseCodec(text).createEncoder(tensor).encode(tensor, 1e6).slices;
        const { slices } = parseCodec(`${text} | entropy`)
          .createEncoder(tensor)
          .encode(tensor, maxPayloadBytes);
        const [coded, reference] = [decode(`${text} | entropy`, tensor, slices), decode(text, tensor, plain)];
        return (
          slices.every(({ payload }) => payload.length <= maxPayloadBytes) &&
          coded.data.every((value, i) => Object.is(value, reference.data[i]))
        );
      },
    ),
    { seed, numRuns: 400 },
  );
});

t.test("uint8 and int8 come back as they are, of every shape with a 1", async (t) => {
  for (const dtype of ["uint8", "int8"] as const) {
    for (const shape of [[3, 9, 7], [1, 9, 7], [3, 1, 7], [3, 9, 1], [1, 1, 1], [], [5], [2, 3, 4, 5]]) {
      for (const layout of shape.length === 3 ? (["chw", "hwc"] as const) : (["any"] as const)) {
        const tensor = waveTensor(dtype, shape, layout);
        const { slices } = parseCodec("integers | entropy").createEncoder(tensor).encode(tensor, 60);
        t.strictSame(decode("integers | entropy", tensor, slices), tensor, `${dtype} ${shape} ${layout}`);
      }
    }
  }
});

t.test("it beats packing by far, and slices cost little", async (t) => {
  const tensor = waveTensor("float32", [32, 28, 28]);
  const bytes = (text: string, most: number) =>
    parseCodec(text)
      .createEncoder(tensor)
      .encode(tensor, most)
      .slices.reduce((sum, { payload }) => sum + payload.length, 0);
  const packed = bytes("quantize:levels=8,clip=3", 1150);
  const sliced = bytes("quantize:levels=8,clip=3 | entropy", 1150);
  const whole = bytes("quantize:levels=8,clip=3 | entropy", 1e6);
  t.comment(`packed ${packed}, entropy ${sliced}, of them for slices ${sliced - whole}`);
  t.ok(sliced < 0.5 * packed);
  t.ok(sliced < 1.06 * whole);
});

t.test("a lost slice of hwc loses its own channels, by rows", async (t) => {
  const tensor = waveTensor("uint8", [10, 10, 16], "hwc");
  const codec = pipe(integers(), entropy());
  const { slices } = codec.createEncoder(tensor).encode(tensor, 300);
  const partial = codec.createDecoder(tensor).begin();
  for (const { index, count, payload } of slices.slice(1)) partial.add(index, count, payload);
  const { missing, missingCount, tensor: got } = partial.finish();
  const { first, end } = sliceRange(slices[0]!.index, slices[0]!.count, 1600);
  t.equal(missingCount, end - first);
  for (let i = 0; i < 1600; i++) {
    const element = (i % 16) * 100 + Math.floor(i / 16);
    const isLost = element >= first && element < end;
    if (missing[i] !== (isLost ? 1 : 0) || got.data[i] !== (isLost ? 0 : tensor.data[i]))
      t.fail(`element ${i}`);
  }
});

t.test("golden bytes", async (t) => {
  const hex = (text: string, tensor: Tensor) =>
    parseCodec(text)
      .createEncoder(tensor)
      .encode(tensor, 1000)
      .slices.map(({ payload }) => Buffer.from(payload).toString("hex"))
      .join(" ");
  const ramp = createTensor(
    "uint8",
    [2, 4, 4],
    Uint8Array.from({ length: 32 }, (_, i) => (i * i) % 23),
  );
  t.matchOnly(hex("integers | entropy", ramp), /^[0-9a-f]+$/);
  t.equal(hex("integers | entropy", ramp), "00017c342435095df0e4f5491ba3f21808532173ef338c79");
  const waves = createTensor(
    "float32",
    [2, 4, 4],
    Float32Array.from({ length: 32 }, (_, i) => (i * i) % 8),
  );
  t.equal(hex("quantize:levels=8,clip=100 | entropy", waves), "000000002549123ff45f5c5df91b7c");
});

t.test(
  "a payload with a bit flipped, cut or lengthened is refused or decodes within the levels",
  async (t) => {
    const tensor = waveTensor("float32", [4, 12, 12]);
    const codec = pipe(quantize({ levels: 11 }), entropy());
    const [slice] = codec.createEncoder(tensor).encode(tensor, 1e6).slices;
    let refused = 0;
    const decoder = codec.createDecoder(tensor);
    for (let at = 8; at < slice!.payload.length; at++) {
      const flipped = slice!.payload.slice();
      flipped[at]! ^= 1 << (at % 8);
      for (const payload of [flipped, slice!.payload.subarray(0, at)]) {
        const partial = decoder.begin();
        const fault = partial.add(0, 1, payload);
        if (fault === "payload") refused++;
        else if (fault !== undefined) t.fail(`${fault}`);
        else if (
          !Number.isFinite(psnr(tensor.data as Float32Array, partial.finish().tensor.data as Float32Array))
        )
          t.fail("not finite");
        if (fault && partial.finish().tensor.data.some((value) => value !== 0))
          t.fail("something was written");
      }
    }
    t.comment(`${refused} of ${2 * (slice!.payload.length - 8)} refused`);
    t.ok(refused > 1.5 * (slice!.payload.length - 8), "most broken payloads are noticed by their length");
  },
);
