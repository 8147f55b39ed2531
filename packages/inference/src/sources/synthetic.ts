import { createTensor, elementCount, type Tensor } from "@sluice/tensor";
import { ModelError } from "../model-error.js";
import type { ImageSource } from "./labelled-image.js";
import { createSeededRandom } from "./seeded-random.js";

/** What synthetic tensors are like. */
export interface SyntheticOptions {
  /** By default float32: normally distributed with mean 0 and deviation 1; uint8: each value alike. */
  readonly dtype?: "float32" | "uint8";
  readonly seed?: number;
  /** By default there is no end. */
  readonly count?: number;
}

/**
 * Reads a shape written as HxWxC, height, width, channels.
 * @returns the shape of a tensor with channels first
 * @throws ModelError `unknown-name`
 */
export function parseSyntheticShape(text: string): readonly [number, number, number] {
  const match = /^(\d{1,5})x(\d{1,5})x(\d{1,5})$/.exec(text);
  const [height, width, channels] = (match ?? []).slice(1).map(Number);
  if (!height || !width || !channels) {
    throw new ModelError("unknown-name", `synthetic: the shape must be HxWxC like 28x28x128, got "${text}"`);
  }
  return [channels, height, width];
}

function fill(random: () => number, dtype: "float32" | "uint8", shape: readonly number[]): Tensor {
  const tensor = createTensor(dtype, shape, undefined, "chw");
  const { data } = tensor;
  const count = elementCount(shape);
  for (let i = 0; i < count; i++) {
    // Box and Muller's transform, one of its two results.
    data[i] =
      dtype === "uint8"
        ? Math.floor(random() * 256)
        : Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  }
  return tensor;
}

/**
 * Random tensors, the same for the same seed: for measuring without a model.
 * @param shape [channels, height, width]
 * @throws TensorError naming the shape if it is over the limits
 */
export function createSyntheticSource(shape: readonly number[], options: SyntheticOptions = {}): ImageSource {
  const { dtype = "float32", seed = 1, count = Number.POSITIVE_INFINITY } = options;
  // Checks the shape now instead of at the first tensor.
  createTensor(dtype, shape, undefined, "chw");
  return {
    count,
    async *[Symbol.asyncIterator]() {
      const random = createSeededRandom(seed);
      for (let i = 0; i < count; i++) {
        yield { name: String(i), image: fill(random, dtype, shape), pixels: undefined, label: undefined };
      }
    },
  };
}
