import { escapeSymbol, firstEntry, intervalBits, plainBitsOfRow } from "./entropy-format.js";
import { createIntervalList, type EntropyKernel } from "./entropy-kernel.js";
import { predictedBlocks, rowsPerClass, vectorClass, vectorDifferences } from "./motion-vectors.js";
import type { SluicePlan } from "./sluice-plan.js";

/** The units of a slice, and how they are written. */
export interface WrittenUnits {
  readonly first: number;
  readonly end: number;
  readonly quality: number;
  /** Of all units of the frame. */
  readonly modes: Uint8Array;
  readonly spans: Uint32Array;
  /** Of all units, one behind the other. */
  readonly coefficients: Int32Array;
}

/** The vectors of one slice: see motion-vectors.ts. */
export interface SliceVectors {
  readonly vectorClass: number;
  readonly differences: Int32Array;
}

/** The vectors that a slice has to say; `undefined` where all of them are 0. @param vectors pairs, block by block */
export function sliceVectors(
  { grid, blockOrder }: SluicePlan,
  { first, end, modes }: Pick<WrittenUnits, "first" | "end" | "modes">,
  vectors: Int8Array,
): SliceVectors | undefined {
  const blocks = predictedBlocks(modes.subarray(first, end), first, blockOrder);
  if (blocks.every((block) => vectors[2 * block] === 0 && vectors[2 * block + 1] === 0)) return undefined;
  const differences = vectorDifferences(grid, blocks, vectors);
  return { vectorClass: vectorClass(differences), differences };
}

/** What they take, in bits. */
export function sliceVectorBits({ vectorClass, differences }: SliceVectors): number {
  const row = rowsPerClass * vectorClass;
  const plainBits = plainBitsOfRow(row);
  const entry = firstEntry(row, plainBits);
  let bits = plainBits * differences.length;
  for (const difference of differences) {
    const high = Math.abs(difference) >>> plainBits;
    bits += intervalBits[entry + Math.min(high, escapeSymbol)]! + (difference === 0 ? 0 : 1);
    if (high >= escapeSymbol) bits += 4 + 31 - Math.clz32(high - escapeSymbol + 1);
  }
  return bits;
}

/** The payload of a slice with vectors, behind `head` bytes that are 0. */
export function encodeWithVectors(
  kernel: EntropyKernel,
  plan: SluicePlan,
  { vectorClass, differences }: SliceVectors,
  { first, end, quality, spans, coefficients }: WrittenUnits,
  head: number,
): Uint8Array {
  let from = 0;
  for (let unit = 0; unit < first; unit++) from += spans[2 * unit + 1]!;
  let to = from;
  for (let unit = first; unit < end; unit++) to += spans[2 * unit + 1]!;
  const vectorSpans = plan.vectorSpans(quality, vectorClass, differences.length / 2);
  const all = new Uint32Array(vectorSpans.length + 2 * (end - first));
  all.set(vectorSpans);
  all.set(spans.subarray(2 * first, 2 * end), vectorSpans.length);
  const list = createIntervalList(all.length / 2);
  const written = new Int32Array(differences.length + to - from);
  written.set(differences);
  written.set(coefficients.subarray(from, to), differences.length);
  kernel.list(written, all, plan.at(quality).rows, list);
  return kernel.encode(list, 0, all.length / 2, head);
}
