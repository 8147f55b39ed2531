import type { TensorSpec } from "@sluice/tensor";

/** A tensor at which a network can be cut in two. */
export interface Cut extends TensorSpec {
  readonly name: string;
  /** The operation that makes it, by its name in the model's format. */
  readonly operation: string;
  readonly elements: number;
  /** Of one sample, uncompressed. */
  readonly bytes: number;
  /** Operations before the cut over all operations, 0..1. */
  readonly nodeShare: number;
  /** Multiply-adds in convolutions and matrix products before the cut over all of them, 0..1. */
  readonly workShare: number;
  /** Multiply-adds of one sample before the cut. */
  readonly multiplyAdds: number;
  /** What the file declares the tensor to be, where a run gives something else. */
  readonly declared?: string;
}

/** An inner tensor at which a network cannot be cut, and why. */
export interface IllegalCut {
  readonly name: string;
  readonly operation: string;
  /** For people: what goes around it and along which path, or why it cannot be sent. */
  readonly reason: string;
  /** The values on a path from the input to the output that does not go through it; empty for other reasons. */
  readonly bypass: readonly string[];
}
