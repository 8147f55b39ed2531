import type { TensorSpec } from "@sluice/tensor";

/** One of several tensors that cross at a cut. */
export interface CrossingTensor extends TensorSpec {
  readonly name: string;
}

/** What a network computes before a cut. */
export interface CutWork {
  /** The operation that makes the tensor, of several the last, by its name in the model's format. */
  readonly operation: string;
  /** Operations before the cut over all operations, 0..1. */
  readonly nodeShare: number;
  /** Multiply-adds in convolutions and matrix products before the cut over all of them, 0..1. */
  readonly workShare: number;
  /** Multiply-adds of one sample before the cut. */
  readonly multiplyAdds: number;
}

/** A place at which a network can be cut in two. As a spec it is the tensor there, or the bundle of those that cross together. */
export interface Cut extends TensorSpec, CutWork {
  /** The tensor's name; those of several with a plus sign between them. */
  readonly name: string;
  /** Where several tensors cross: each in the order of the bundle, inputs of the network that enter behind the cut at the end. */
  readonly crossing?: readonly CrossingTensor[];
  readonly elements: number;
  /** Of one sample, uncompressed. */
  readonly bytes: number;
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
