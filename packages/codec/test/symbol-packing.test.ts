import fc from "fast-check";
import t from "tap";
import {
  createSymbolPacking,
  packedBytes,
  packSymbols,
  unpackSymbols,
} from "#codec/stages/symbol-packing.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261123);
t.comment(`seed ${seed}`);

function pack(levels: number, symbols: Uint16Array, offset = 0): Uint8Array {
  const packing = createSymbolPacking(levels);
  const bytes = new Uint8Array(offset + packedBytes(packing, symbols.length));
  packSymbols(packing, symbols, symbols.length, bytes, offset);
  return bytes;
}

function unpack(levels: number, bytes: Uint8Array, count: number, offset = 0): Uint16Array {
  const symbols = new Uint16Array(count);
  unpackSymbols(createSymbolPacking(levels), bytes, offset, symbols, count);
  return symbols;
}

t.test("every number of levels costs at most 3 % over its entropy", async (t) => {
  let worst = 0;
  for (let levels = 2; levels <= 65536; levels++) {
    const { groupSymbols, groupBits } = createSymbolPacking(levels);
    const bits = groupBits[groupSymbols]!;
    if (bits > 50 || levels ** groupSymbols > 2 ** bits) t.fail(`${levels} levels: a group does not fit`);
    worst = Math.max(worst, bits / groupSymbols / Math.log2(levels));
  }
  t.comment(`worst ratio ${worst}`);
  t.ok(worst <= 1.03);
  t.match(createSymbolPacking(7), { groupSymbols: 16, groupBits: { 16: 45 } });
  t.match(createSymbolPacking(8), { groupSymbols: 1, groupBits: [0, 3] });
});

t.test("any symbols of 2 to 300 levels and of the largest ones come back", async (t) => {
  const all = [
    ...Array.from({ length: 299 }, (_, i) => i + 2),
    511,
    513,
    1025,
    4097,
    8193,
    32769,
    65535,
    65536,
  ];
  for (const levels of all) {
    const symbol = fc.oneof(fc.constantFrom(0, levels - 1), fc.integer({ min: 0, max: levels - 1 }));
    fc.assert(
      fc.property(fc.array(symbol, { maxLength: 60 }), fc.nat(3), (list, offset) => {
        const symbols = Uint16Array.from(list);
        const bytes = pack(levels, symbols, offset);
        if (bytes.subarray(0, offset).some((byte) => byte !== 0)) return false;
        return unpack(levels, bytes, list.length, offset).join() === symbols.join();
      }),
      { seed, numRuns: 12 },
    );
    // Long runs of the largest symbol: the greatest number that a group can be, in every bit position.
    const most = new Uint16Array(1000).fill(levels - 1);
    if (unpack(levels, pack(levels, most), 1000).join() !== most.join())
      t.fail(`${levels} levels, all largest`);
  }
  t.pass(`${all.length} numbers of levels`);
});

t.test("any bytes decode to symbols below the levels", async (t) => {
  const levels = fc.oneof(fc.integer({ min: 2, max: 300 }), fc.integer({ min: 2, max: 65536 }));
  fc.assert(
    fc.property(levels, fc.nat(50), fc.infiniteStream(fc.nat(255)), (levels, count, stream) => {
      const length = packedBytes(createSymbolPacking(levels), count);
      const bytes = Uint8Array.from({ length }, () => stream.next().value ?? 0);
      return unpack(levels, bytes, count).every((symbol) => symbol < levels);
    }),
    { seed, numRuns: 1000 },
  );
  for (const levels of [3, 7, 257, 65535]) {
    const length = packedBytes(createSymbolPacking(levels), 100);
    t.ok(unpack(levels, new Uint8Array(length).fill(255), 100).every((symbol) => symbol < levels));
  }
});

t.test("golden bytes", async (t) => {
  const golden: [number, number[], string][] = [
    [2, [1, 0, 1, 1, 0, 0, 0, 1, 1], "8d01"],
    [4, [3, 0, 2, 1, 2], "6302"],
    [8, [1, 2, 3, 4], "d108"],
    [16, [1, 2, 15], "210f"],
    [256, [0, 255, 7], "00ff07"],
    [65536, [1, 65535], "0100ffff"],
    // 1 + 2 * 3 + 0 * 9 + 2 * 27 = 61, in 7 bits
    [3, [1, 2, 0, 2], "3d"],
    // 6 + 5 * 7 + 4 * 49 = 237, in 9 bits
    [7, [6, 5, 4], "ed00"],
    // a full group, 7^16 - 1, in 45 bits, then 1 in 3 bits
    [7, [...new Array(16).fill(6), 1], "807d05a5393e"],
  ];
  for (const [levels, symbols, hex] of golden) {
    const bytes = pack(levels, Uint16Array.from(symbols));
    t.equal(Buffer.from(bytes).toString("hex"), hex, `${levels} levels: ${symbols}`);
    t.strictSame([...unpack(levels, bytes, symbols.length)], symbols);
  }
});

t.test("levels out of range", async (t) => {
  for (const levels of [0, 1, 65537, 2.5, Number.NaN]) {
    t.throws(() => createSymbolPacking(levels), { name: "TensorError", field: "levels" });
  }
});
