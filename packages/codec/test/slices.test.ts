import { type EncodedSlice, parseCodec } from "@sluice/codec";
import { createTensor, type Dtype, sliceRange, type Tensor } from "@sluice/tensor";
import fc from "fast-check";
import t from "tap";

const seed = Number(process.env.SLUICE_SEED ?? 20261123);
t.comment(`seed ${seed}`);

const codecs = ["raw", "quantize:levels=7", "quantize:levels=16", "quantize:levels=300,clip=1"];
const dtypes: Dtype[] = ["float32", "float16", "uint8", "int8", "int32"];

function wave(dtype: Dtype, length: number): Tensor {
  const tensor = createTensor(dtype, [length]);
  for (let i = 0; i < length; i++) tensor.data[i] = Math.round(50 + 50 * Math.sin(i));
  return tensor;
}

t.test("encode picks the fewest slices that fit, and they cover the tensor", async () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...codecs),
      fc.constantFrom(...dtypes),
      fc.integer({ min: 1, max: 400 }),
      fc.integer({ min: 12, max: 500 }),
      (text, dtype, length, maxPayloadBytes) => {
        const tensor = wave(dtype, length);
        const encoder = parseCodec(text).createEncoder(tensor);
        const { slices } = encoder.encode(tensor, maxPayloadBytes);
        const [whole] = encoder.encode(tensor, 1e6).slices;
        const sizes = (count: number) =>
          Array.from({ length: count }, (_, i) => {
            const { first, end } = sliceRange(i, count, length);
            const part = createTensor(dtype, [end - first]);
            return parseCodec(text).createEncoder(part).encode(part, 1e6).slices[0]!.payload.length;
          });
        const { length: count } = slices;
        return (
          encoder.units === length &&
          whole?.count === 1 &&
          slices.every((s, i) => s.index === i && s.count === count && s.payload.length <= maxPayloadBytes) &&
          slices.map((s) => s.payload.length).join() === sizes(count).join() &&
          (count === 1 || sizes(count - 1).some((bytes) => bytes > maxPayloadBytes))
        );
      },
    ),
    { seed, numRuns: 400 },
  );
});

t.test(
  "any subset of slices, some of them split, in any order and repeated, gives its own elements",
  async () => {
    const order = fc.array(fc.record({ pick: fc.nat(), split: fc.boolean(), keep: fc.nat() }), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...codecs),
        fc.constantFrom(...dtypes),
        fc.integer({ min: 60, max: 400 }),
        order,
        (text, dtype, length, order) => {
          const tensor = wave(dtype, length);
          const codec = parseCodec(text);
          const encoder = codec.createEncoder(tensor);
          const decoder = codec.createDecoder(tensor);
          const whole = decoder.begin();
          for (const { index, count, payload } of encoder.encode(tensor, 1e6).slices)
            whole.add(index, count, payload);
          const reference = whole.finish().tensor.data;

          const encoded = encoder.encode(tensor, 60);
          const { slices } = encoded;
          const partial = decoder.begin();
          const came = new Set<number>();
          const deliver = ({ index, count, payload }: EncodedSlice) => {
            if (partial.add(index, count, payload) !== undefined) throw new Error("refused");
            const { first, end } = sliceRange(index, count, length);
            for (let i = first; i < end; i++) came.add(i);
          };
          for (const { pick, split, keep } of order) {
            const slice = slices[pick % slices.length]!;
            const { first, end } = sliceRange(slice.index, slice.count, length);
            if (!split || end - first < 4) deliver(slice);
            else {
              const parts = encoded.split(slice, 42);
              if (parts.some((part) => part.payload.length > 42)) return false;
              deliver(parts[keep % parts.length]!);
            }
          }
          const { tensor: got, missing, missingCount } = partial.finish();
          for (let i = 0; i < length; i++) {
            if (missing[i] !== (came.has(i) ? 0 : 1)) return false;
            if (!Object.is(got.data[i], came.has(i) ? reference[i] : 0)) return false;
          }
          return missingCount === length - came.size && got.dtype === dtype;
        },
      ),
      { seed, numRuns: 600 },
    );
  },
);

t.test("all parts of a split are the slice", async (t) => {
  const tensor = wave("float32", 1000);
  for (const text of codecs) {
    const codec = parseCodec(text);
    const encoder = codec.createEncoder(tensor);
    const encoded = encoder.encode(tensor, 300);
    const { slices } = encoded;
    const parts = slices.flatMap((slice) => encoded.split(slice, 100));
    t.ok(parts.length > slices.length && parts.every((part) => part.payload.length <= 100));
    const [a, b] = [codec.createDecoder(tensor).begin(), codec.createDecoder(tensor).begin()];
    for (const { index, count, payload } of slices) a.add(index, count, payload);
    for (const { index, count, payload } of parts) b.add(index, count, payload);
    t.equal(b.finish().missingCount, 0, text);
    t.strictSame(b.finish().tensor, a.finish().tensor);
    const same = encoded.split(slices[0]!, 300);
    t.strictSame(same, [slices[0]], "a slice that fits is split into itself");
  }
});

t.test("split picks the fewest parts that fit", async () => {
  const sizes = fc.tuple(fc.integer({ min: 20, max: 300 }), fc.integer({ min: 1, max: 8 }), fc.nat(7));
  fc.assert(
    fc.property(sizes, fc.integer({ min: 3, max: 12 }), ([length, count, nth], most) => {
      const tensor = wave("uint8", length);
      const index = nth % count;
      const parts = parseCodec("raw")
        .createEncoder(tensor)
        .encode(tensor, length)
        .split({ index, count }, most).length;
      const largest = (parts: number) =>
        Math.max(
          ...Array.from({ length: parts }, (_, j) => {
            const { first, end } = sliceRange(index * parts + j, count * parts, length);
            return end - first;
          }),
        );
      return largest(parts) <= most && (parts === 1 || largest(parts - 1) > most);
    }),
    { seed, numRuns: 2000 },
  );
});

t.test("limits that cannot be met and tensors of another kind are refused by name", async (t) => {
  const tensor = wave("float32", 10);
  const encoder = parseCodec("raw").createEncoder(tensor);
  const field = "maxPayloadBytes";
  t.throws(() => encoder.encode(tensor, 3), { name: "TensorError", field });
  t.throws(() => encoder.encode(tensor, Number.NaN), { name: "TensorError", field });
  t.equal(encoder.encode(tensor, 4).slices.length, 10);
  t.throws(() => parseCodec("quantize").createEncoder(tensor).encode(tensor, 8), {
    name: "TensorError",
    field,
  });
  const encoded = encoder.encode(tensor, 100);
  const quarter = { index: 1, count: 4 };
  t.throws(() => encoded.split(quarter, 4), { name: "TensorError", field }, "12 slices of 10 elements");
  t.throws(() => encoded.split({ index: 4, count: 4 }, 4), { name: "TensorError", field: "index" });
  t.throws(() => encoder.encode(wave("float32", 11), 100), { name: "TensorError", field: "tensor.data" });
  t.throws(() => encoder.encode(wave("int32", 10), 100), { name: "TensorError", field: "tensor.dtype" });
});

t.test("a slice is refused with its reason and changes nothing", async (t) => {
  const tensor = wave("float32", 10);
  const codec = parseCodec("quantize:levels=16");
  const [slice] = codec.createEncoder(tensor).encode(tensor, 100).slices;
  const good = slice!.payload;
  const withParameters = (low: number, step: number) => {
    const payload = good.slice();
    const view = new DataView(payload.buffer);
    view.setFloat32(0, low, true);
    view.setFloat32(4, step, true);
    return payload;
  };
  const partial = codec.createDecoder(tensor).begin();
  const refused: [number, number, Uint8Array, string][] = [
    [1, 1, good, "range"],
    [-1, 1, good, "range"],
    [0, 0, good, "range"],
    [0, 11, good, "range"],
    [0.5, 1, good, "range"],
    [0, Number.NaN, good, "range"],
    [0, 2 ** 53, good, "range"],
    [0, 1, good.subarray(1), "payload-length"],
    [0, 1, new Uint8Array(good.length + 1), "payload-length"],
    [0, 1, new Uint8Array(0), "payload-length"],
    [0, 2, good, "payload-length"],
    [0, 1, withParameters(Number.NaN, 1), "parameter"],
    [0, 1, withParameters(Number.NEGATIVE_INFINITY, 1), "parameter"],
    [0, 1, withParameters(0, Number.NaN), "parameter"],
    [0, 1, withParameters(0, -1), "parameter"],
    [0, 1, withParameters(0, Number.POSITIVE_INFINITY), "parameter"],
    [0, 1, withParameters(3e38, 1e37), "parameter"],
  ];
  for (const [index, count, payload, fault] of refused) {
    t.equal(partial.add(index, count, payload), fault, `${index} of ${count}: ${fault}`);
  }
  t.strictSame(partial.finish().tensor.data, new Float32Array(10));
  t.equal(partial.finish().missingCount, 10);
  t.equal(partial.add(0, 1, good), undefined);
  t.equal(partial.add(0, 1, good), undefined, "a duplicate is harmless");
  t.equal(partial.finish().missingCount, 0);
  partial.add(0, 1, withParameters(Number.NaN, 1));
  t.ok(Math.abs(partial.finish().tensor.data[0]! - 50) < 4, "what came stays");
});

t.test("any payload decodes or is refused; what comes out is finite and counted", async (t) => {
  const integer = fc.oneof(fc.nat(40), fc.integer(), fc.double(), fc.constantFrom(2 ** 53, -1));
  const slices = fc.array(
    fc.record({
      index: integer,
      count: integer,
      valid: fc.boolean(),
      payload: fc.uint8Array({ maxLength: 60 }),
      cut: fc.nat(3),
    }),
    { maxLength: 12 },
  );
  const texts = [
    "raw",
    "quantize:levels=2",
    "quantize:levels=7",
    "quantize:levels=16",
    "quantize:levels=65535",
  ];
  let taken = 0;
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.constantFrom(...dtypes), slices, (text, dtype, slices) => {
      const spec = { dtype, shape: [5, 4], layout: "any" } as const;
      const codec = parseCodec(text);
      const partial = codec.createDecoder(spec).begin();
      const bytesOf = (elements: number): number => {
        const part = createTensor(dtype, [elements]);
        return codec.createEncoder(part).encode(part, 1e6).slices[0]!.payload.length;
      };
      const covered = new Set<number>();
      for (const { index, count, valid, payload, cut } of slices) {
        // Half of them have a possible number and mostly the right length: random bytes must reach the inner decoder.
        const n = valid ? 1 + (Math.abs(Math.trunc(count)) % 20 || 0) : count;
        const i = valid ? Math.abs(Math.trunc(index)) % n || 0 : index;
        let bytes = payload;
        if (valid) {
          const { first, end } = sliceRange(i, n, 20);
          const length = bytesOf(end - first) - (cut === 3 ? 1 : 0);
          bytes = Uint8Array.from({ length }, (_, k) => payload[k % payload.length] ?? 0);
        }
        const fault = partial.add(i, n, bytes);
        if (fault === undefined) {
          taken++;
          const { first, end } = sliceRange(i, n, 20);
          for (let k = first; k < end; k++) covered.add(k);
        }
      }
      const { tensor, missing, missingCount } = partial.finish();
      const finite = text === "raw" || [...tensor.data].every(Number.isFinite);
      const counted =
        missing.reduce((sum, m) => sum + m, 0) === missingCount && missingCount === 20 - covered.size;
      const zero = [...missing].every((m, k) => m === 0 || tensor.data[k] === 0);
      return finite && counted && zero && tensor.data.length === 20;
    }),
    { seed, numRuns: 4000 },
  );
  t.comment(`${taken} slices taken`);
  t.ok(taken > 4000, "random payloads reached the decoder");
});

t.test("a tensor is decoded into memory that held another one as into fresh memory", async (t) => {
  for (const text of codecs) {
    for (const dtype of dtypes) {
      const tensor = wave(dtype, 100);
      const [first, , third] = parseCodec(text).createEncoder(tensor).encode(tensor, 70).slices;
      const decoder = parseCodec(text).createDecoder(tensor);
      const into = createTensor(dtype, [100]);
      into.data.fill(77);
      const partials = [decoder.begin(0), decoder.begin(0, into)];
      for (const partial of partials)
        for (const slice of [first, third]) if (slice) partial.add(slice.index, slice.count, slice.payload);
      const [fresh, used] = partials.map((partial) => partial.finish());
      t.strictSame(used, fresh, `${text} ${dtype}`);
      t.equal(used!.tensor.data, into.data);
    }
  }
});
