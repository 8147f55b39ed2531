import { motionParts } from "@sluice/tensor";
import type { BlockGrid } from "./block-grid.js";
import { coarseLog2 } from "./coarse-log2.js";
import type { MotionVector } from "./motion-picture.js";

// How the vectors of a slice are written (spec 6.11): for each block of which a unit in the slice is predicted, in the order of
// the blocks, what is left of its vector when what is expected by its neighbours is taken off. Nothing of other slices is
// needed. What is left is written like coefficients, all of one row.

/** A slice has one of so many rows for what is left of its vectors: {@link rowsPerClass} times 1, 2, ... */
export const vectorClasses = 7;
export const rowsPerClass = 8;

/**
 * Blocks that have a unit of the slice that is not intra, in their order.
 * @param modes of the slice's units
 * @param first of these units
 * @param blockOrder the blocks in the order of each layer's units
 */
export function predictedBlocks(modes: Uint8Array, first: number, blockOrder: Uint32Array): number[] {
  const isPredicted = new Uint8Array(blockOrder.length);
  for (const [i, mode] of modes.entries()) {
    if (mode !== 0) isPredicted[blockOrder[(first + i) % blockOrder.length]!] = 1;
  }
  return Array.from(isPredicted.keys()).filter((block) => isPredicted[block] !== 0);
}

const middle = (a: number, b: number, c: number): number =>
  Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));

/**
 * What the vector of a block is expected to be: in rows and in columns the middle one of three vectors, those of the blocks
 * left, above, and right above; where one of these has none, that of the block before counts in its place.
 * @param vectors pairs, block by block
 * @param last block that has a vector and comes before; less than 0: there is none
 * @param isThere whether a block of those before has a vector
 */
export function expectedVector(
  { columns }: BlockGrid,
  vectors: Int8Array,
  block: number,
  last = block - 1,
  isThere = (near: number): boolean => near >= 0,
): MotionVector {
  if (last < 0) return [0, 0];
  const column = block % columns;
  const left = column > 0 && isThere(block - 1) ? block - 1 : last;
  const above = isThere(block - columns) ? block - columns : last;
  const next = column < columns - 1 && isThere(block - columns + 1) ? block - columns + 1 : last;
  const along = (axis: 0 | 1): number =>
    middle(vectors[2 * left + axis]!, vectors[2 * above + axis]!, vectors[2 * next + axis]!);
  return [along(0), along(1)];
}

/** Goes through the vectors of a slice; `visit` puts each into `vectors` before the next one's turn. */
function forEachExpected(
  grid: BlockGrid,
  blocks: readonly number[],
  vectors: Int8Array,
  visit: (block: number, expected: MotionVector, at: number) => void,
): void {
  const isThere = new Uint8Array(grid.blocks);
  let last = -1;
  for (const [i, block] of blocks.entries()) {
    visit(
      block,
      expectedVector(grid, vectors, block, last, (near) => isThere[near] === 1),
      2 * i,
    );
    isThere[block] = 1;
    last = block;
  }
}

/** @param vectors of all blocks, pairs one after the other */
export function vectorDifferences(
  grid: BlockGrid,
  blocks: readonly number[],
  vectors: Int8Array,
): Int32Array {
  const differences = new Int32Array(2 * blocks.length);
  forEachExpected(grid, blocks, vectors, (block, [dy, dx], at) => {
    differences[at] = vectors[2 * block]! - dy;
    differences[at + 1] = vectors[2 * block + 1]! - dx;
  });
  return differences;
}

/**
 * @param reach that vectors may have, in whole elements
 * @returns vectors of the blocks, pairs one after the other where the block is; `undefined` where one is out of reach
 */
export function readVectors(
  grid: BlockGrid,
  blocks: readonly number[],
  differences: Int32Array,
  reach: number,
): Int8Array | undefined {
  const vectors = new Int8Array(2 * grid.blocks);
  const most = reach * motionParts;
  let isSound = true;
  forEachExpected(grid, blocks, vectors, (block, [dy, dx], at) => {
    const [y, x] = [dy + differences[at]!, dx + differences[at + 1]!];
    if (Math.abs(y) > most || Math.abs(x) > most) isSound = false;
    vectors[2 * block] = y;
    vectors[2 * block + 1] = x;
  });
  return isSound ? vectors : undefined;
}

/** The class whose rows are for differences as large as these: 1 (mean magnitude 1/8) to 7 (8). */
export function vectorClass(differences: Int32Array): number {
  let sum = 0;
  for (const difference of differences) sum += Math.abs(difference);
  const mean = sum / Math.max(1, differences.length);
  return Math.min(vectorClasses, Math.max(1, Math.round(4 + coarseLog2(Math.max(mean, 1 / 16)))));
}
