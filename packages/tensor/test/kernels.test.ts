import { type LevelTable, plainKernels, planeSize, type Tiling, tensorKernels } from "@sluice/tensor";
import fc from "fast-check";
import t from "tap";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

const simd = tensorKernels();
t.equal(simd.kind, "simd", "every Node that is supported has WebAssembly with SIMD");
const both = [simd, plainKernels];

const awkward = [0, -0, 1e-45, -1e-45, 3.4e38, -3.4e38, Number.NaN, Number.POSITIVE_INFINITY, -Infinity];

/** Values of a small generator: mostly within -4 to 4, many exactly on the border between two levels, some awkward. */
function createValues(count: number, seed: number, awkwardOneIn: number): Float32Array {
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
  return Float32Array.from({ length: count }, () => {
    if (awkwardOneIn > 0 && next() % awkwardOneIn === 0) return awkward[next() % awkward.length]!;
    return next() % 4 === 0 ? (next() % 64) / 8 - 4 : (next() / 2 ** 24) * 8 - 4;
  });
}

/** A table whose channels differ; some have only one level. */
function createTable(levels: number, axis: { channels: number; stride: number }, seed: number): LevelTable {
  const low = createValues(axis.channels, seed, 0);
  const step = createValues(axis.channels, seed + 1, 0).map((value, channel) =>
    (seed + channel) % 7 === 0 ? 0 : Math.abs(value) / levels,
  );
  const nanSymbol = Uint16Array.from(low, (_, channel) => (channel * 31 + seed) % levels);
  return { levels, axis, low, step, nanSymbol };
}

/** Symbols as spec 6.2 has them, one at a time. */
function symbolOf(table: LevelTable, value: number, element: number): number {
  const channel = Math.floor(element / table.axis.stride) % table.axis.channels;
  const step = table.step[channel]!;
  if (step === 0) return 0;
  if (Number.isNaN(value)) return table.nanSymbol[channel]!;
  const level = Math.floor((value - table.low[channel]!) * (1 / step) + 0.5);
  return Math.min(table.levels - 1, Math.max(0, level));
}

const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** Channels and strides that go through runs, through interleaved parameters, and beyond both. */
const axes = fc.oneof(
  fc.record({ channels: fc.integer({ min: 1, max: 40 }), stride: fc.integer({ min: 1, max: 200 }) }),
  fc.record({ channels: fc.constantFrom(1, 3, 16, 32), stride: fc.constant(1) }),
  fc.constantFrom({ channels: 4097, stride: 1 }, { channels: 4097, stride: 64 }, { channels: 1, stride: 9 }),
);
const levelCounts = fc.oneof(fc.integer({ min: 2, max: 256 }), fc.constantFrom(2, 8, 256));
const cases = fc.record({
  axis: axes,
  levels: levelCounts,
  first: fc.integer({ min: 0, max: 5000 }),
  count: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 70_000 })),
  awkwardOneIn: fc.constantFrom(0, 5, 400),
  seed: fc.integer({ min: 1, max: 1 << 30 }),
});

t.test("quantize and dequantize: spec 6.2, and both kinds alike, in bytes and in 16 bits", async () => {
  const property = fc.property(cases, fc.boolean(), ({ axis, levels, first, count, ...of }, isWide) => {
    const table = createTable(isWide ? levels * levels : levels, axis, of.seed);
    const values = createValues(count, of.seed, of.awkwardOneIn);
    const expected = values.map((value, i) => symbolOf(table, value, first + i));
    const results = both.map((kernels) => {
      const symbols = isWide ? new Uint16Array(count + 1).fill(7) : new Uint8Array(count + 1).fill(7);
      kernels.quantize(table, values, first, symbols);
      if (symbols[count] !== 7) throw new Error("wrote beyond the end");
      for (let i = 0; i < count; i++) {
        if (symbols[i] !== expected[i]) {
          throw new Error(`${kernels.kind}: element ${i}, ${values[i]}: ${symbols[i]}, not ${expected[i]}`);
        }
      }
      const decoded = new Float32Array(count);
      kernels.dequantize(table, symbols, first, decoded);
      return Buffer.from(bytesOf(decoded));
    });
    return results[0]!.equals(results[1]!);
  });
  fc.assert(property, { seed, numRuns: 80 });
});

t.test("few levels of one channel are looked up, bit for bit as computed", async () => {
  const value = fc.oneof(
    fc.float({ noNaN: true, min: Math.fround(-1e30), max: Math.fround(1e30) }),
    fc.constantFrom(-0, 0, 1e-42, -3),
  );
  const tables = fc.record({
    levels: fc.constantFrom(2, 7, 16, 17, 31, 32, 33),
    low: value,
    step: value.map(Math.abs),
    count: fc.integer({ min: 64, max: 3000 }),
    seed: fc.integer({ min: 1, max: 1 << 30 }),
    hasOthers: fc.boolean(),
  });
  // One after another on the same kernels, which remember the levels of the last one.
  const property = fc.property(fc.array(tables, { minLength: 1, maxLength: 4 }), (several) =>
    [...several, ...several].every(({ levels, low, step, count, seed, hasOthers }) => {
      const table = {
        ...{ levels, axis: { channels: 1, stride: 9 }, nanSymbol: Uint16Array.of(0) },
        ...{ low: Float32Array.of(low), step: Float32Array.of(step) },
      };
      // 0 to 1, without 1.
      const shares = createValues(count + 2, seed, 0).map((each) => (each + 4) / 8.01);
      const symbols = Uint8Array.from({ length: count }, (_, i) => Math.floor(shares[i]! * levels));
      // No level, as of a broken peer: it stands for what it would if there were more.
      if (hasOthers) symbols[Math.floor(shares[count]! * count)] = 32 + Math.floor(shares[count + 1]! * 224);
      const results = both.map((kernels) => {
        const values = new Float32Array(count + 1).fill(7);
        kernels.dequantize(table, symbols, 5, values.subarray(0, count));
        if (values[count] !== 7) throw new Error("wrote beyond the end");
        return Buffer.from(bytesOf(values));
      });
      return results[0]!.equals(results[1]!);
    }),
  );
  fc.assert(property, { seed, numRuns: 100 });
});

const tilings = fc
  .record({
    layout: fc.constantFrom("chw" as const, "hwc" as const),
    channels: fc.integer({ min: 1, max: 40 }),
    height: fc.integer({ min: 1, max: 40 }),
    width: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(1000, 40_000)),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .filter(({ channels, height, width }) => channels * height * width <= 400_000)
  .map(
    ({ share, ...tiling }): Tiling => ({
      ...tiling,
      columns: 1 + Math.floor(share * (tiling.channels - 1)),
    }),
  );

/** Where an element of a tensor is in the plane, one at a time. */
function sampleOf({ layout, channels, height, width, columns }: Tiling, element: number): number {
  const pixel = layout === "chw" ? element % (height * width) : Math.floor(element / channels);
  const channel = layout === "chw" ? Math.floor(element / (height * width)) : element % channels;
  const y = Math.floor(channel / columns) * height + Math.floor(pixel / width);
  return y * columns * width + (channel % columns) * width + (pixel % width);
}

t.test("tiles: each channel in its place, the rest 0, and back", async () => {
  const property = fc.property(tilings, fc.integer({ min: 1, max: 1 << 30 }), (tiling, seed) => {
    const count = tiling.channels * tiling.height * tiling.width;
    const size = planeSize(tiling);
    const symbols = Uint8Array.from(createValues(count, seed, 0), (value) => (value + 4) * 32);
    const expected = new Uint8Array(size.height * size.width);
    for (let i = 0; i < count; i++) expected[sampleOf(tiling, i)] = symbols[i]!;
    for (const kernels of both) {
      const plane = new Uint8Array(expected.length).fill(9);
      kernels.tile(symbols, tiling, plane);
      if (Buffer.compare(plane, expected) !== 0) throw new Error(`${kernels.kind}: wrong plane`);
      const back = new Uint8Array(count);
      kernels.untile(plane, tiling, back);
      if (Buffer.compare(back, symbols) !== 0) throw new Error(`${kernels.kind}: wrong symbols`);
    }
  });
  fc.assert(property, { seed, numRuns: 60 });
});

t.test("a table: each symbol's entry, 0 where there is none", async () => {
  const property = fc.property(
    fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 256 })),
    fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 70_000 })),
    fc.boolean(),
    fc.integer({ min: 1, max: 1 << 30 }),
    (entries, count, isWide, seed) => {
      const table = Uint8Array.from(createValues(entries, seed, 0), (value) => (value + 4) * 32);
      const bytes = Uint8Array.from(createValues(count, seed + 1, 0), (value) => (value + 4) * 32);
      const symbols = isWide ? Uint16Array.from(bytes) : bytes;
      for (const kernels of both) {
        const target = isWide ? new Uint16Array(count + 1).fill(7) : new Uint8Array(count + 1).fill(7);
        kernels.lookUp(table, symbols, target);
        for (let i = 0; i < count; i++) {
          if (target[i] !== (table[symbols[i]!] ?? 0)) throw new Error(`${kernels.kind}: symbol ${i}`);
        }
        if (target[count] !== 7) throw new Error(`${kernels.kind}: wrote beyond the end`);
      }
    },
  );
  fc.assert(property, { seed, numRuns: 60 });
});

t.test("bits: least significant first, 1 to 8 for each symbol, and back", async (t) => {
  for (const kernels of both) {
    const target = Uint8Array.of(255, 255, 255, 255, 255);
    kernels.packBits(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 0, 1), 3, target, 1);
    t.strictSame([...target], [255, 0b11010001, 0b01011000, 0b00011111, 1], kernels.kind);
  }
  const property = fc.property(
    fc.integer({ min: 1, max: 16 }),
    fc.boolean(),
    fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 70_000 })),
    fc.integer({ min: 0, max: 9 }),
    fc.integer({ min: 1, max: 1 << 30 }),
    (bits, isWide, count, offset, seed) => {
      const symbolsOf = (length: number) =>
        isWide || bits > 8 ? new Uint16Array(length) : new Uint8Array(length);
      const symbols = symbolsOf(count);
      symbols.set(createValues(count, seed, 0).map((value) => (value + 4) * 8192));
      for (let i = 0; i < count; i++) symbols[i]! &= (1 << bits) - 1;
      const bytes = Math.ceil((count * bits) / 8);
      const [first, second] = both.map((kernels) => {
        const target = new Uint8Array(offset + bytes + 3).fill(0xa5);
        kernels.packBits(symbols, bits, target, offset);
        const back = symbolsOf(count);
        kernels.unpackBits(target.subarray(0, offset + bytes), offset, bits, back);
        if (back.some((symbol, i) => symbol !== symbols[i]))
          throw new Error(`${kernels.kind}: wrong symbols`);
        return target;
      });
      return Buffer.compare(first!, second!) === 0 && first!.slice(offset + bytes).every((b) => b === 0xa5);
    },
  );
  fc.assert(property, { seed, numRuns: 100 });
});

t.test(
  "packed symbols become values as they do by way of symbols, in their place and nowhere else",
  async () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.constantFrom(
        { channels: 1, stride: 1 << 24 },
        { channels: 3, stride: 100 },
        { channels: 5, stride: 1 },
      ),
      fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 40_000 })),
      fc.integer({ min: 0, max: 9 }),
      fc.integer({ min: 0, max: 50 }),
      fc.integer({ min: 1, max: 1 << 30 }),
      (bits, axis, count, offset, first, seed) => {
        const table = createTable(Math.max(2, (1 << bits) - (seed % 2)), axis, seed);
        const bytes = createValues(offset + Math.ceil((count * bits) / 8), seed, 0);
        const source = Uint8Array.from(bytes, (value) => value * 1_000);
        for (const kernels of both) {
          const symbols = new Uint8Array(count);
          kernels.unpackBits(source, offset, bits, symbols);
          const expected = new Float32Array(first + count + 3).fill(7);
          kernels.dequantize(table, symbols, first, expected.subarray(first, first + count));
          const values = new Float32Array(first + count + 3).fill(7);
          kernels.unpackValues(table, source, offset, bits, values, first, first + count);
          if (values.some((value, i) => !Object.is(value, expected[i]))) throw new Error(kernels.kind);
        }
      },
    );
    fc.assert(property, { seed, numRuns: 100 });
  },
);

t.test("sums: both kinds round alike, and are right", async () => {
  const property = fc.property(
    fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 33_000 })),
    fc.integer({ min: 1, max: 1 << 30 }),
    fc.constantFrom(1, 1e-30, 1e30),
    (count, seed, scale) => {
      const values = createValues(count, seed, 0).map((value) => value * scale);
      const [first, second] = both.map((kernels) => kernels.sums(values));
      for (const name of ["sum", "squares", "minimum", "maximum"] as const) {
        if (!Object.is(first![name], second![name])) {
          throw new Error(`${name}: ${first![name]} and ${second![name]}`);
        }
      }
      const mean = count === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / count;
      const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      const isNear = Math.abs(first!.squares - squares) <= 1e-9 * squares;
      return isNear && first!.minimum === Math.min(...values) && first!.maximum === Math.max(...values);
    },
  );
  fc.assert(property, { seed, numRuns: 60 });
});

t.test("what does not fit is refused by both kinds alike", async (t) => {
  const axis = { channels: 2, stride: 100 };
  const table = createTable(8, axis, 1);
  const values = new Float32Array(200);
  const plane = new Uint8Array(200);
  const tiling: Tiling = { layout: "chw", channels: 2, height: 10, width: 10, columns: 2 };
  for (const kernels of both) {
    const refuses = (field: string, run: () => void) =>
      t.throws(run, { name: "TensorError", field }, `${kernels.kind}: ${field}`);
    refuses("symbols", () => kernels.quantize(table, values, 0, new Uint8Array(199)));
    refuses("symbols", () => kernels.quantize({ ...table, levels: 257 }, values, 0, new Uint8Array(200)));
    refuses("symbols", () => kernels.dequantize(table, new Uint8Array(199), 0, values));
    refuses("first", () => kernels.quantize(table, values, -1, plane));
    refuses("first", () => kernels.quantize(table, values, 0.5, plane));
    refuses("table", () => kernels.quantize({ ...table, low: new Float32Array(1) }, values, 0, plane));
    refuses("symbols", () => kernels.tile(plane.subarray(1), tiling, plane));
    refuses("plane", () => kernels.untile(plane.subarray(1), tiling, plane));
    refuses("plane", () => kernels.tile(plane, { ...tiling, columns: 1, channels: 1 }, plane));
    refuses("tiling", () => kernels.tile(plane, { ...tiling, columns: 0 }, plane));
    refuses("tiling", () => kernels.tile(plane, { ...tiling, columns: 3 }, plane));
    refuses("tiling", () => kernels.untile(plane, { ...tiling, height: 2.5 }, plane));
    refuses("table", () => kernels.lookUp(new Uint8Array(257), plane, plane));
    refuses("table", () => kernels.lookUp(new Uint8Array(0), plane, plane));
    refuses("target", () => kernels.lookUp(plane, plane, plane.subarray(1)));
    refuses("bits", () => kernels.packBits(new Uint16Array(1), 17, plane, 0));
    refuses("symbols", () => kernels.packBits(plane, 9, plane, 0));
    refuses("bits", () => kernels.unpackBits(plane, 0, 0, plane));
    refuses("offset", () => kernels.packBits(plane, 8, plane, -1));
    refuses("target", () => kernels.packBits(plane, 8, plane, 1));
    refuses("source", () => kernels.unpackBits(plane, 1, 8, plane));
    refuses("bits", () => kernels.unpackValues(table, plane, 0, 9, values, 0, 1));
    refuses("offset", () => kernels.unpackValues(table, plane, -1, 1, values, 0, 1));
    refuses("source", () => kernels.unpackValues(table, plane, plane.length, 1, values, 0, 1));
    refuses("first", () => kernels.unpackValues(table, plane, 0, 1, values, -1, 1));
    refuses("end", () => kernels.unpackValues(table, plane, 0, 1, values, 0, 201));
    refuses("end", () => kernels.unpackValues(table, plane, 0, 1, values, 2, 1));
  }
});
