import fc from "fast-check";
import t from "tap";
import { createPlainSymbolCoder } from "#codec/entropy/plain-symbols.js";
import { createSimdSymbolCoder } from "#codec/entropy/simd-symbols.js";
import type { SymbolCoder, SymbolGrid } from "#codec/entropy/symbol-grid.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

function codersOf(grid: SymbolGrid): readonly [SymbolCoder, SymbolCoder] {
  const simd = createSimdSymbolCoder(grid);
  if (simd === undefined) throw new Error("every Node that is supported has WebAssembly with SIMD");
  return [simd, createPlainSymbolCoder(grid)];
}

function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Symbols that wander, and now and then jump; with `noise` they only jump. */
function createSymbols(count: number, levels: number, noise: boolean, seed: number): number[] {
  const below = createRandom(seed);
  let symbol = below(levels);
  return Array.from({ length: count }, () => {
    if (noise || below(30) === 0) symbol = below(levels);
    else symbol = Math.min(levels - 1, Math.max(0, symbol + below(3) - 1));
    return symbol;
  });
}

const cases = fc.record({
  levels: fc.oneof(fc.integer({ min: 2, max: 16 }), fc.integer({ min: 2, max: 256 }), fc.constant(256)),
  rows: fc.integer({ min: 1, max: 12 }),
  columns: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(1000)),
  first: fc.integer({ min: 0, max: 5000 }),
  count: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 4000 })),
  noise: fc.boolean(),
  isWide: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1 << 30 }),
});

t.test("both kinds write the same, stop at the same, and read it back", async () => {
  const property = fc.property(cases, fc.double({ min: 0, max: 1.2, noNaN: true }), (parameters, share) => {
    const { levels, rows, columns, first, count, noise, isWide, seed } = parameters;
    const coders = codersOf({ levels, rows, columns });
    const list = createSymbols(count, levels, noise, seed);
    const symbols = isWide ? Uint16Array.from(list) : Uint8Array.from(list);
    const [payload, other] = coders.map((coder) => {
      const made = coder.encode(symbols, first, Number.POSITIVE_INFINITY);
      if (!(made instanceof Uint8Array)) throw new Error("stopped though there was room");
      return made.slice();
    });
    if (Buffer.compare(payload!, other!) !== 0) throw new Error("payloads differ");
    const room = Math.floor(share * payload!.length) - 1;
    const [tight, otherTight] = coders.map((coder) => {
      const made = coder.encode(symbols, first, room);
      return made instanceof Uint8Array ? Buffer.from(made).toString("hex") : made.fits;
    });
    if (tight !== otherTight) throw new Error(`room ${room}: ${tight} and ${otherTight}`);
    for (const coder of coders) {
      const back = isWide ? new Uint16Array(count) : new Uint8Array(count);
      if (!coder.decode(payload!, back, first)) throw new Error(`${coder.kind}: refused`);
      if (back.some((symbol, i) => symbol !== symbols[i])) throw new Error(`${coder.kind}: wrong`);
    }
  });
  fc.assert(property, { seed, numRuns: 250 });
});

t.test("broken payloads: both kinds say the same, and mostly no", async (t) => {
  const below = createRandom(seed);
  const rounds = 2000;
  let accepted = 0;
  for (let round = 0; round < rounds; round++) {
    const levels = 2 + below(round % 2 === 0 ? 10 : 255);
    const coders = codersOf({ levels, rows: 1 + below(5), columns: 1 + below(9) });
    const count = 1 + below(60);
    const symbols = Uint8Array.from(createSymbols(count, levels, false, round));
    let payload = Uint8Array.from(coders[1].encode(symbols, 3, 1000) as Uint8Array);
    const way = below(4);
    if (way === 0) payload = payload.slice(0, below(payload.length));
    else if (way === 1) payload = Uint8Array.of(...payload, below(256));
    else if (way === 2) payload[below(payload.length)]! ^= 1 << below(8);
    else payload = Uint8Array.from({ length: below(40) }, () => below(256));
    const [first, second] = coders.map((coder) => {
      const back = new Uint8Array(count);
      return coder.decode(payload, back, 3) ? back.join() : "refused";
    });
    if (first !== second) t.fail(`round ${round}: ${first} and ${second}`);
    if (first !== "refused") accepted++;
  }
  t.ok(accepted < rounds / 2, `${accepted} of ${rounds} accepted`);
});
