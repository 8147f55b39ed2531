import {
  createTensor,
  type Dtype,
  encodeFloat16,
  type Layout,
  type Tensor,
  type TensorSpec,
} from "@sluice/tensor";
import { ModelError } from "../model-error.js";
import type { ImageSource } from "./labelled-image.js";
import { createSeededRandom } from "./seeded-random.js";

/** What synthetic tensors are like. */
export interface SyntheticOptions {
  /**
   * By default float32. Floats are normally distributed with mean 0 and deviation 1; of uint8 and int8 each value is alike;
   * int32 is 0 to 9, which most networks that look something up can find.
   */
  readonly dtype?: Dtype;
  /** Default: chw. */
  readonly layout?: Layout;
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

/** One element of each dtype; float16 as its bits. */
const makers: Readonly<Record<Dtype, (random: () => number) => number>> = {
  float32: normal,
  float16: (random) => encodeFloat16(normal(random)),
  uint8: (random) => Math.floor(random() * 256),
  int8: (random) => Math.floor(random() * 256) - 128,
  int32: (random) => Math.floor(random() * 10),
};

/** Box and Muller's transform, one of its two results. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function fill(random: () => number, { dtype, shape, layout }: TensorSpec): Tensor {
  const tensor = createTensor(dtype, shape, undefined, layout);
  const { data } = tensor;
  const make = makers[dtype];
  for (let i = 0; i < data.length; i++) data[i] = make(random);
  return tensor;
}

/**
 * Random tensors, the same for the same seed: for measuring without a model.
 * @param shape [channels, height, width], or of any other kind with its `layout`
 * @throws TensorError naming the shape if it is over the limits
 */
export function createSyntheticSource(shape: readonly number[], options: SyntheticOptions = {}): ImageSource {
  const { dtype = "float32", layout = "chw", seed = 1, count = Number.POSITIVE_INFINITY } = options;
  const spec = { dtype, shape, layout };
  // Checks the shape now instead of at the first tensor.
  createTensor(dtype, shape, undefined, layout);
  return {
    count,
    async *[Symbol.asyncIterator]() {
      const random = createSeededRandom(seed);
      for (let i = 0; i < count; i++) {
        yield { name: String(i), image: fill(random, spec), pixels: undefined, label: undefined };
      }
    },
  };
}
