import { createHash } from "node:crypto";
import t from "tap";
import { coefficient, invert } from "#src/fec/cauchy-matrix.js";
import type { ErasureCode } from "#src/fec/erasure-code.js";
import { multiply } from "#src/fec/galois-field.js";
import { plainCombiner } from "#src/fec/plain-combiner.js";
import { createReedSolomon, reedSolomon } from "#src/fec/reed-solomon.js";
import { createSimdCombiner } from "#src/fec/simd-combiner.js";
import { createIntegers, type Integers } from "../integers.js";

const seed = Number(process.env.SLUICE_SEED ?? 32);
t.comment(`seed ${seed}`);

const simdCombiner = createSimdCombiner();
if (simdCombiner === undefined) throw new Error("every Node that is supported has WebAssembly with SIMD");
const codes: readonly ErasureCode[] = [
  createReedSolomon(() => simdCombiner),
  createReedSolomon(() => plainCombiner),
];

const bytes = (...list: number[]) => Uint8Array.from(list);

/** The product of two polynomials over GF(2), reduced bit by bit: nothing of the tables. */
function slowProduct(a: number, b: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit++) if ((b >> bit) & 1) product ^= a << bit;
  for (let bit = 14; bit >= 8; bit--) if ((product >> bit) & 1) product ^= 0x11d << (bit - 8);
  return product;
}

function shuffled(integers: Integers, count: number): number[] {
  const list = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = integers.between(0, i);
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}

/** Loses `missing` of the sources, recovers them from `rows`, and says whether they came back padded with 0. */
function comesBack(
  code: ErasureCode,
  sources: readonly Uint8Array[],
  missing: readonly number[],
  rows: readonly number[],
  symbolBytes: number,
): boolean {
  const symbols = code.encode(sources, rows, symbolBytes);
  const found = code.recover(
    sources.map((source, i) => (missing.includes(i) ? undefined : source)),
    symbols.map((symbol, i) => ({ row: rows[i]!, symbol })),
    symbolBytes,
  );
  const expected = missing
    .toSorted((a, b) => a - b)
    .map((i) => {
      const symbol = Buffer.alloc(symbolBytes);
      symbol.set(sources[i]!);
      return symbol;
    });
  return found.length === expected.length && expected.every((symbol, i) => symbol.equals(found[i]!));
}

t.test("the field: products of all pairs", async (t) => {
  let wrong = 0;
  for (let a = 0; a < 256; a++) {
    for (let b = 0; b < 256; b++) if (multiply(a, b) !== slowProduct(a, b)) wrong++;
  }
  t.equal(wrong, 0);
});

t.test("the coefficients are those of spec 5.8, and row 0 is XOR", async (t) => {
  let wrong = 0;
  for (let row = 0; row < 128; row++) {
    for (let position = 0; position < 128; position++) {
      const product = slowProduct(coefficient(row, position), (128 + row) ^ position);
      if (product !== (128 ^ position)) wrong++;
      if (row === 0 && coefficient(row, position) !== 1) wrong++;
    }
  }
  t.equal(wrong, 0);
  for (const code of codes) {
    t.strictSame(code.encode([bytes(1, 2, 3), bytes(4, 8)], [0], 3), [bytes(5, 10, 3)]);
  }
});

t.test("any square part of the matrix has the inverse that is computed", async (t) => {
  const integers = createIntegers(seed);
  for (let round = 0; round < 100; round++) {
    const size = round === 0 ? 128 : integers.between(1, 24);
    const rows = shuffled(integers, 128).slice(0, size);
    const positions = shuffled(integers, 128).slice(0, size);
    const inverse = invert(rows, positions);
    let wrong = 0;
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        let sum = 0;
        for (let k = 0; k < size; k++) {
          sum ^= multiply(inverse[i * size + k]!, coefficient(rows[k]!, positions[j]!));
        }
        if (sum !== (i === j ? 1 : 0)) wrong++;
      }
    }
    if (wrong > 0) t.fail(`${wrong} wrong entries for rows ${rows} and positions ${positions}`);
  }
  t.pass();
});

t.test("golden symbols: both kinds, this machine and all others", async (t) => {
  const sources = Array.from({ length: 10 }, (_, i) =>
    Uint8Array.from({ length: 100 - i }, (_, at) => (i * 37 + at * 101 + (at >> 3)) & 255),
  );
  for (const code of codes) {
    t.strictSame(code.encode([bytes(1, 2), bytes(3, 4), bytes(5)], [0, 1, 2, 127], 2), [
      bytes(7, 6),
      bytes(23, 194),
      bytes(248, 80),
      bytes(76, 248),
    ]);
    const hash = createHash("sha256");
    for (const symbol of code.encode(sources, [0, 1, 2, 5, 64, 127], 100)) hash.update(symbol);
    // As a few lines of Python compute it from spec 5.8 alone.
    const expected = "d2af1bed7e632c701fdae75a7b7fb4cb790a3501f1a6794568edf6fd2d0c2565";
    t.equal(hash.digest("hex"), expected);
  }
});

t.test("every pattern of loss in small groups", async (t) => {
  const integers = createIntegers(seed);
  let patterns = 0;
  for (let count = 1; count <= 7; count++) {
    const sources = Array.from({ length: count }, () => integers.bytes(integers.between(1, 5)));
    for (let lost = 0; lost < 1 << count; lost++) {
      const missing = [...sources.keys()].filter((i) => (lost >> i) & 1);
      // Any rows of the first 7 do, not only the first ones.
      for (let kept = 0; kept < 1 << 7; kept++) {
        const rows = [0, 1, 2, 3, 4, 5, 6].filter((row) => (kept >> row) & 1);
        if (rows.length !== missing.length) continue;
        patterns++;
        for (const code of codes) {
          if (!comesBack(code, sources, missing, rows, 5)) t.fail(`${count}: ${missing} from rows ${rows}`);
        }
      }
    }
  }
  t.equal(patterns, 6434, "the sum over n of C(n + 7, 7)");
});

t.test("random losses in groups of any size, symbols of any length", async (t) => {
  const integers = createIntegers(seed);
  for (let round = 0; round < 150; round++) {
    const count = round < 2 ? 128 : integers.between(1, 64);
    const symbolBytes = round === 2 ? 65535 : integers.between(0, round < 120 ? 70 : 5000);
    const most = round === 2 ? 6 : 20;
    const sources = Array.from({ length: count }, () => integers.bytes(integers.between(0, symbolBytes)));
    const size = round === 0 ? 128 : integers.between(1, Math.min(count, most));
    const missing = shuffled(integers, count).slice(0, size);
    const rows = shuffled(integers, 128).slice(0, size);
    const [first, second] = codes.map((code) => Buffer.concat(code.encode(sources, rows, symbolBytes)));
    if (!first!.equals(second!)) t.fail(`round ${round}: the two kinds differ`);
    for (const code of codes) {
      if (!comesBack(code, sources, missing, rows, symbolBytes)) t.fail(`round ${round}: not recovered`);
    }
  }
  t.pass();
});

t.test("more parity than is needed is left alone, and nothing that was passed in is changed", async (t) => {
  for (const code of codes) {
    const sources = [Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6])];
    const parity = code.encode(sources, [3, 4], 3).map((symbol, i) => ({
      row: 3 + i,
      symbol: Buffer.from(symbol),
    }));
    const copies = parity.map(({ symbol }) => [...symbol]);
    t.strictSame(code.recover([undefined, sources[1]], parity, 3), [bytes(1, 2, 3)]);
    t.strictSame(code.recover(sources, [], 3), [], "nothing is missing");
    t.strictSame(
      parity.map(({ symbol }) => [...symbol]),
      copies,
    );
    t.strictSame([...sources[1]!], [4, 5, 6]);
    t.strictSame(code.encode([], [0, 1], 2), [bytes(0, 0), bytes(0, 0)], "no sources");
    t.strictSame(code.encode(sources, [], 3), [], "no rows");
  }
});

t.test("what does not fit together is refused by name", async (t) => {
  const { encode, recover } = reedSolomon;
  const source = bytes(1, 2);
  const refuses = (field: string, run: () => void) => t.throws(run, { name: "FecError", field }, field);
  refuses("symbolBytes", () => encode([source], [0], 65536));
  refuses("symbolBytes", () => encode([source], [0], -1));
  refuses("symbolBytes", () => recover([source], [], 1.5));
  refuses("sources", () => encode(Array<Uint8Array>(129).fill(source), [0], 2));
  refuses("sources", () => encode([source], [0], 1));
  refuses("sources", () => recover([source, undefined], [], 1));
  refuses("rows", () => encode([source], [128], 2));
  refuses("rows", () => encode([source], [-1], 2));
  refuses("rows", () => encode([source], [0.5], 2));
  refuses("rows", () => encode([source], [1, 1], 2));
  const symbol = bytes(1, 2);
  refuses("parity", () => recover([undefined, source], [], 2));
  refuses("parity", () => recover([undefined], [{ row: 0, symbol: bytes(1) }], 2));
  refuses("parity", () => recover([undefined], [{ row: 128, symbol }], 2));
  const twice = [
    { row: 7, symbol },
    { row: 7, symbol },
  ];
  refuses("parity", () => recover([undefined, undefined], twice, 2));
});
