import { createMotionPicture, type MotionPicture } from "./motion-picture.js";
import type { SluicePlan } from "./sluice-plan.js";

/** A frame that both ends have in full. */
export interface ReferenceFrame {
  /** Its coefficients, block by block, as the transform has them. */
  readonly values: Float32Array;
  /** What it looks like; made when it is asked for first. */
  picture(): MotionPicture;
}

/** @param values not copied */
export function createReferenceFrame({ grid, transform }: SluicePlan, values: Float32Array): ReferenceFrame {
  let picture: MotionPicture | undefined;
  return {
    values,
    picture() {
      picture ??= createMotionPicture(grid, transform, values);
      return picture;
    },
  };
}
