/** Vectors are in so many parts of an element: at a stride of 8, one is a pixel of the image. */
export const motionParts = 8;

/** How the blocks of a tensor moved since earlier ones, as far as that is known. */
export interface BlockMotion {
  /** Rows and columns of a block; the last ones of each may be cut off. */
  readonly blockHeight: number;
  readonly blockWidth: number;
  /** For each block, row by row: how many frames before the one is that its vector points to, 1 to 255; 0: not known. */
  readonly distances: Uint8Array;
  /**
   * For each block: rows and columns, in 1/{@link motionParts} of an element, from a place to where the same was. Pairs one
   * after the other.
   */
  readonly vectors: Int8Array;
}
