import fc from "fast-check";
import t from "tap";
import { createIntervalList, type EntropyKernel } from "#codec/sluice/entropy-kernel.js";
import { frequencyBits, frequencyRows, frequencySymbols } from "#codec/sluice/frequency-table.js";
import { plainEntropy } from "#codec/sluice/plain-entropy.js";
import { createSimdEntropy } from "#codec/sluice/simd-entropy.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

const simdEntropy = createSimdEntropy();
if (simdEntropy === undefined) throw new Error("every Node that is supported has WebAssembly with SIMD");
const kernels: readonly EntropyKernel[] = [simdEntropy, plainEntropy];

function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Coefficients whose sizes go with their rows, some of them far off, some as large as can be. */
function createCase(spanCount: number, longest: number, rowLimit: number, seed: number) {
  const below = createRandom(seed);
  const rows = Int32Array.from({ length: longest + 20 }, () => below(rowLimit));
  const spans = new Uint32Array(2 * spanCount);
  const list: number[] = [];
  for (let span = 0; span < spanCount; span++) {
    const count = below(longest + 1);
    const first = below(rows.length - count + 1);
    spans.set([first, count], 2 * span);
    for (let i = 0; i < count; i++) {
      const mean = 2 ** ((rows[first + i]! - 32) / 8);
      const off = below(50) === 0 ? 40 : 2;
      const magnitude =
        below(500) === 0 ? below(32768) : Math.min(32767, Math.floor(mean * off * (below(1000) / 1000)));
      list.push(below(2) === 0 ? magnitude : -magnitude);
    }
  }
  return { rows, spans, coefficients: Int32Array.from(list) };
}

const cases = fc.record({
  spanCount: fc.integer({ min: 0, max: 30 }),
  longest: fc.constantFrom(0, 1, 7, 100, 3000),
  rowLimit: fc.constantFrom(49, 60, 200),
  head: fc.integer({ min: 0, max: 3 }),
  seed: fc.integer({ min: 1, max: 1 << 30 }),
});

t.test("the table: every row adds up", async (t) => {
  t.ok(frequencyRows.every((row) => row.length === frequencySymbols && row.every((f) => f > 0)));
  t.ok(frequencyRows.every((row) => row.reduce((sum, f) => sum + f, 0) === 1 << frequencyBits));
});

t.test("any spans come back, and both kinds write the same", async () => {
  const property = fc.property(cases, ({ spanCount, longest, rowLimit, head, seed }) => {
    const { rows, spans, coefficients } = createCase(spanCount, longest, rowLimit, seed);
    const below = createRandom(seed + 1);
    const first = below(spanCount + 1);
    const end = first + below(spanCount - first + 1);
    let before = 0;
    for (let span = 0; span < first; span++) before += spans[2 * span + 1]!;
    let count = 0;
    for (let span = first; span < end; span++) count += spans[2 * span + 1]!;
    const written = kernels.map((kernel) => {
      const list = createIntervalList(spanCount);
      kernel.list(coefficients, spans, rows, list);
      const payload = kernel.encode(list, first, end, head);
      const bits = list.bits[end]! - list.bits[first]!;
      if (payload.length > head + 4 + bits / 8 + 1 + bits / 1000) throw new Error("longer than its bits");
      const back = new Int32Array(count);
      if (!kernel.decode(payload, head, spans.subarray(2 * first, 2 * end), rows, back)) {
        throw new Error(`${kernel.kind}: refused`);
      }
      if (back.some((value, i) => value !== coefficients[before + i]))
        throw new Error(`${kernel.kind}: wrong`);
      return { payload, starts: [...list.starts], bits: [...list.bits] };
    });
    if (Buffer.compare(written[0]!.payload, written[1]!.payload) !== 0) throw new Error("payloads differ");
    return (
      written[0]!.starts.join() === written[1]!.starts.join() &&
      written[0]!.bits.join() === written[1]!.bits.join()
    );
  });
  fc.assert(property, { seed, numRuns: 150 });
});

t.test("broken payloads: both kinds say the same, and mostly no", async (t) => {
  const below = createRandom(seed);
  let accepted = 0;
  const rounds = 3000;
  for (let round = 0; round < rounds; round++) {
    const { rows, spans, coefficients } = createCase(1 + below(4), 40, 60, round);
    const list = createIntervalList(spans.length / 2);
    plainEntropy.list(coefficients, spans, rows, list);
    let payload = plainEntropy.encode(list, 0, spans.length / 2, 0);
    const way = below(4);
    if (way === 0) payload = payload.slice(0, below(payload.length));
    else if (way === 1) payload = Uint8Array.from(payload, (byte) => (below(8) === 0 ? below(256) : byte));
    else if (way === 2) payload[below(payload.length)]! ^= 1 << below(8);
    else payload = Uint8Array.from({ length: below(60) }, () => below(256));
    const [first, second] = kernels.map((kernel) => {
      const back = new Int32Array(coefficients.length);
      return kernel.decode(payload, 0, spans, rows, back) ? back.join() : "refused";
    });
    if (first !== second) t.fail(`round ${round}: ${first} and ${second}`);
    if (first !== "refused") accepted++;
  }
  t.ok(accepted < rounds / 10, `${accepted} of ${rounds} accepted`);
});

t.test("golden bytes", async (t) => {
  const rows = Int32Array.from({ length: 64 }, (_, i) => i);
  const coefficients = Int32Array.of(0, 0, 1, -1, 0, 2, -16, 17, 300, -32767, 5, 0);
  const spans = Uint32Array.of(10, 4, 30, 3, 48, 5);
  for (const kernel of kernels) {
    const list = createIntervalList(3);
    kernel.list(coefficients, spans, rows, list);
    const hex = Buffer.from(kernel.encode(list, 0, 3, 1)).toString("hex");
    t.equal(hex, "0054361e6b08feff4dfe3e17ffffffbcb6c2", kernel.kind);
    t.equal(Buffer.from(kernel.encode(list, 1, 1, 0)).toString("hex"), "00800000", "nothing");
  }
});

t.test("spans that do not fit are refused by name", async (t) => {
  const rows = new Int32Array(10);
  const list = createIntervalList(1);
  const payload = Uint8Array.of(0, 128, 0, 0);
  for (const kernel of kernels) {
    const refuses = (field: string, run: () => void) => t.throws(run, { name: "TensorError", field });
    refuses("spans", () => kernel.list(new Int32Array(20), Uint32Array.of(5, 6), rows, list));
    refuses("spans", () => kernel.decode(payload, 0, Uint32Array.of(11, 0), rows, new Int32Array(1)));
    refuses("coefficients", () => kernel.list(new Int32Array(4), Uint32Array.of(0, 5), rows, list));
    refuses("coefficients", () => kernel.decode(payload, 0, Uint32Array.of(0, 5), rows, new Int32Array(4)));
  }
});
