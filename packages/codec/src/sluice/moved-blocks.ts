import type { MotionVector } from "./motion-picture.js";
import type { ReferenceFrame } from "./reference-frame.js";
import type { SluicePlan } from "./sluice-plan.js";

/** The coefficients of blocks that come from elsewhere in another frame; slices of several layers ask for the same. */
export interface MovedBlocks {
  /** @returns an array for all blocks, in which that of this block is filled until it is asked for again */
  from(reference: ReferenceFrame, block: number, vector: MotionVector): Float32Array;
}

export function createMovedBlocks({ grid, transform }: SluicePlan): MovedBlocks {
  const perBlock = transform.coefficients.length;
  const values = new Float32Array(grid.blocks * perBlock);
  const known = new Map<number, { reference: ReferenceFrame; vector: MotionVector }>();
  return {
    from(reference, block, vector) {
      const last = known.get(block);
      const isKnown =
        last?.reference === reference && last.vector[0] === vector[0] && last.vector[1] === vector[1];
      if (isKnown) return values;
      reference.picture().look(block, vector);
      transform.analyseSamples();
      values.set(transform.coefficients, block * perBlock);
      known.set(block, { reference, vector });
      return values;
    },
  };
}
