/**
 * The transform that codec `sluice` takes for the tensors of a cut, and how large its coefficients are (spec 6.4, 6.11).
 *
 * A block of `block[0]` x `block[1]` positions of all channels becomes, for each of the block's spatial frequencies (its
 * bands, those of a two-dimensional DCT-II), as many components as there are channels. They are uncorrelated, and
 * scaled so that an error of 1 in any of them costs the network's output about the same.
 */
export interface TransformStatistics {
  /** Rows and columns of a block, each 1 to 8. */
  readonly block: readonly [height: number, width: number];
  /** For each band, vertical frequency first: which of the matrices is its own. */
  readonly matrixOfBand: Uint8Array;
  /**
   * For each matrix, component and channel: what a coefficient adds to a channel, times the component's gain. Empty: each
   * component is one channel.
   */
  readonly matrices: Int8Array;
  /** For each matrix and component. */
  readonly gains: Float32Array;
  /**
   * For each band and component: which probabilities its coefficients take at the neutral quality (spec 6.11). 0: they are
   * all 0.
   */
  readonly scales: Uint8Array;
  /** The same where the step is four times as large. */
  readonly coarseScales: Uint8Array;
}

/** The most rows or columns of a block, matrices, and channels that are mixed by matrices. */
export const maxBlockSide = 8;
export const maxMatrices = 16;
export const maxMixedChannels = 256;
