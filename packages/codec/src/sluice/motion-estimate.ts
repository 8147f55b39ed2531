import { coarseLog2 } from "./coarse-log2.js";
import type { MotionVector } from "./motion-picture.js";
import { createMotionSearch } from "./motion-search.js";
import { expectedVector } from "./motion-vectors.js";
import type { ReferenceFrame } from "./reference-frame.js";
import { type SluicePlan, stepOf } from "./sluice-plan.js";

/** What a frame is expected to be when its blocks have moved since another one. */
export interface MotionEstimate {
  /** Takes the transform's samples for those of a block of the frame. */
  takeSamples(block: number): void;
  /**
   * Chooses a vector for each block of the frame.
   * @param values its coefficients, block by block, as the transform has them
   */
  compare(values: Float32Array, reference: ReferenceFrame): void;
  /** Pairs, block by block (see `MotionVector`). */
  readonly vectors: Int8Array;
  /** Coefficients of the reference's blocks as the vectors say. */
  readonly expected: Float32Array;
}

/** About what one number of a vector's difference takes, in bits. */
const differenceBits = (difference: number): number =>
  difference === 0 ? 0.5 : 2.5 + 2 * coarseLog2(Math.abs(difference));

/**
 * @param deviations of the channels
 * @param smallest magnitude of a coefficient, in steps, that is not written as 0
 */
export function createMotionEstimate(
  plan: SluicePlan,
  deviations: ArrayLike<number>,
  smallest: number,
): MotionEstimate {
  const { grid, transform, motion, quality } = plan;
  const perBlock = transform.coefficients.length;
  const search = createMotionSearch(grid, transform, motion, deviations);
  const vectors = new Int8Array(2 * grid.blocks);
  const expected = new Float32Array(grid.blocks * perBlock);
  const perStep = 1 / stepOf(quality);

  /** About what a block's coefficients take when these are expected, in bits; 0 where all of them become 0. */
  function bitsOf(values: Float32Array, from: number, other: Float32Array, at: number): number {
    let product = 1;
    let bits = 0;
    let largest = 0;
    for (let i = 0; i < perBlock; i++) {
      const steps = (values[from + i]! - other[at + i]!) * perStep;
      const square = steps * steps;
      if (square > largest) largest = square;
      product *= 1 + 2 * square;
      // Eight at once: logarithms take time.
      if ((i & 7) !== 7) continue;
      bits += coarseLog2(product);
      product = 1;
    }
    return largest < smallest * smallest ? 0 : 0.5 * (bits + coarseLog2(product));
  }

  function chooseVector(values: Float32Array, reference: ReferenceFrame, block: number): MotionVector {
    const at = block * perBlock;
    const still = bitsOf(values, at, reference.values, at);
    if (still === 0) return [0, 0];
    const [likelyY, likelyX] = expectedVector(grid, vectors, block);
    const vectorBits = (dy: number, dx: number): number =>
      differenceBits(dy - likelyY) + differenceBits(dx - likelyX);
    let best: MotionVector = [0, 0];
    let least = still + vectorBits(0, 0);
    const found = search.find(block);
    const isOther = found[0] !== likelyY || found[1] !== likelyX;
    for (const [dy, dx] of isOther ? [[likelyY, likelyX] as const, found] : [found]) {
      if (dy === 0 && dx === 0) continue;
      reference.picture().look(block, [dy, dx]);
      transform.analyseSamples();
      const bits = bitsOf(values, at, transform.coefficients, 0) + vectorBits(dy, dx);
      if (bits >= least) continue;
      [least, best] = [bits, [dy, dx]];
      expected.set(transform.coefficients, at);
    }
    return best;
  }

  return {
    vectors,
    expected,
    takeSamples: (block) => search.takeSamples(block),
    compare(values, reference) {
      expected.set(reference.values);
      vectors.fill(0);
      search.begin(reference.picture());
      for (let block = 0; block < grid.blocks; block++) {
        vectors.set(chooseVector(values, reference, block), 2 * block);
      }
    },
  };
}
