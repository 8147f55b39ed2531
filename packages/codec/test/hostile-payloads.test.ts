/**
 * Payloads as no encoder makes them, for every stage: cut, lengthened, with bits flipped, random, under another slice's
 * number. A decoder refuses them with a fault or decodes something finite, and never throws, hangs or takes memory beyond
 * the tensor's. `node packages/codec/dist/test/hostile-payloads.test.js --cases 100000 --seed 7` tries more of them.
 */
import { parseArgs } from "node:util";
import { parseCodec, prepareCodec, type SliceFault } from "@sluice/codec";
import {
  createStatisticsAccumulator,
  elementCount,
  type Layout,
  readFloat32,
  sliceRange,
} from "@sluice/tensor";
import t from "tap";
import { waveTensor } from "./wave-tensor.js";

const { values } = parseArgs({
  args: process.argv.slice(2).filter((word) => !word.startsWith("--test")),
  options: { cases: { type: "string", default: "4000" }, seed: { type: "string" } },
  strict: false,
});
const cases = Number(values.cases);
const seed = Number(values.seed ?? process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}, ${cases} cases`);

let state = seed >>> 0;
/** An integer from 0 to below - 1 (mulberry32). */
function random(below: number): number {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
}

/** Chains that an order is behind deal their units by it. */
const chains = [
  "raw",
  "quantize:levels=7",
  "quantize:levels=16,per=channel",
  "integers | entropy",
  "quantize:levels=5 | entropy",
  "quantize:levels=40 | predict | entropy",
  "transform:block=4 | raw",
  "transform:block=3 | quantize:levels=30 | entropy",
  "quantize:levels=200 | entropy",
  "quantize:levels=256 | tile | jpeg:quality=50",
  "quantize:levels=9 | tile:shape=wide | jpeg:quality=100",
  "quantize:levels=256 | tile | jpeg2000:ratio=6",
  "quantize:levels=256 | tile | htj2k:step=0.03",
  "quantize:levels=7 in checkerboard",
  "quantize:levels=200 | entropy in channel-strided",
  "quantize:levels=256 | tile | jpeg:quality=50 in pseudo-random",
].map((text) => text.split(" in ") as [string, string?]);
const shapes: [number[], Layout][] = [
  [[6, 12, 12], "chw"],
  [[12, 12, 6], "hwc"],
  [[2, 50, 60], "chw"],
  [[300], "any"],
  [[1, 1, 1], "chw"],
];
const faults = new Set<SliceFault | undefined>([
  undefined,
  "payload-length",
  "parameter",
  "range",
  "payload",
]);

function mutate(payload: Uint8Array): Uint8Array {
  const bytes = payload.slice();
  switch (random(6)) {
    case 0:
      return bytes.subarray(0, random(bytes.length + 1));
    case 1:
      for (let flips = 1 + random(4); flips > 0; flips--) bytes[random(bytes.length)]! ^= 1 << random(8);
      return bytes;
    case 2:
      return bytes.map(() => random(256));
    case 3: {
      const longer = new Uint8Array(bytes.length + 1 + random(40)).map(() => random(256));
      longer.set(bytes);
      return longer;
    }
    case 4:
      return new Uint8Array(random(2_000)).map(() => (random(3) === 0 ? 255 : random(256)));
    default:
      bytes.fill([0, 255, 0x80, 0x7f][random(4)]!, random(bytes.length));
      return bytes;
  }
}

/** All that a chain and a shape need to try payloads. */
function createTarget([text, order]: (typeof chains)[number], [shape, layout]: (typeof shapes)[number]) {
  const tensor = waveTensor(text.startsWith("integers") ? "uint8" : "float32", shape, layout);
  const accumulator = createStatisticsAccumulator("cut", shape, layout);
  const count = elementCount(shape);
  accumulator.add(readFloat32(tensor, 0, count, new Float32Array(count)));
  const statistics = accumulator.finish();
  const codec = parseCodec(text);
  const decoder = codec.createDecoder(tensor, statistics, order);
  const { slices } = codec.createEncoder(tensor, statistics, order).encode(tensor, 1_500 + random(700));
  return { text, decoder, slices, count };
}

// Many cases take minutes; npm test has a limit of its own.
t.setTimeout(0);

t.test("hostile payloads are refused or decode to something finite", { timeout: 0 }, async (t) => {
  for (const [text] of chains) await prepareCodec(text);
  const targets = chains.flatMap((chain) => shapes.map((shape) => createTarget(chain, shape)));
  const memory = () => process.memoryUsage().arrayBuffers;
  const before = memory();
  const tally = new Map<string, number>();
  let longestMs = 0;
  for (let i = 0; i < cases; i++) {
    // Modules that are worn out are replaced between events.
    if (i % 50 === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    const { text, decoder, slices, count } = targets[random(targets.length)]!;
    const slice = slices[random(slices.length)]!;
    const isMoved = random(8) === 0;
    const of = isMoved ? 1 + random(decoder.units) : slice.count;
    const index = isMoved ? random(of) : slice.index;
    const payload = isMoved && random(2) === 0 ? slice.payload : mutate(slice.payload);
    const partial = decoder.begin(i);
    const startMs = performance.now();
    const fault = partial.add(index, of, payload);
    longestMs = Math.max(longestMs, performance.now() - startMs);
    tally.set(`${fault ?? "taken"}`, (tally.get(`${fault ?? "taken"}`) ?? 0) + 1);
    const { tensor, missing, missingCount } = partial.finish();
    const isKnown = faults.has(fault);
    const { first, end } = sliceRange(index, of, decoder.units);
    const isCounted = fault === undefined ? missingCount < count && end > first : missingCount === count;
    const isKept = [...missing].every((flag, at) => flag === 0 || tensor.data[at] === 0);
    const allFinite = text === "raw" || tensor.data.every((value) => Number.isFinite(value));
    if (!(isKnown && isCounted && isKept && allFinite && tensor.data.length === count)) {
      t.fail(`case ${i}, ${text}: ${fault}, ${JSON.stringify({ isKnown, isCounted, isKept, allFinite })}`);
    }
  }
  t.comment(
    `${[...tally].map(([fault, times]) => `${times} ${fault}`).join(", ")}; at most ${longestMs.toFixed(0)} ms`,
  );
  t.ok(
    [...faults].every((fault) => fault === "range" || (tally.get(`${fault ?? "taken"}`) ?? 0) > cases / 500),
  );
  const grown = memory() - before;
  t.ok(grown < 64 * 2 ** 20, `${(grown / 2 ** 20).toFixed(1)} MiB more`);
});
