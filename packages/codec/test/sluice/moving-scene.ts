import { createTensor, type Tensor, type TensorSpec } from "@sluice/tensor";

/** Positions beyond the tensor's edges, at each side. */
const margin = 24;

/** A picture that is larger than the tensors of a `chw` spec, seen through a window. */
export interface MovingScene {
  /** What a window sees that has moved so many elements down and to the right, whole or not, at most 20. */
  at(down: number, right: number): Tensor;
}

/** Values from 0 to 10, smooth over three positions; nothing but sums and products, so that it is the same everywhere. */
export function createMovingScene(spec: TensorSpec<"float32">, random: () => number): MovingScene {
  const [channels, height, width] = spec.shape as [number, number, number];
  const [rows, columns] = [height + 2 * margin, width + 2 * margin];
  const noise = Float64Array.from({ length: channels * rows * columns }, random);
  const smooth = noise.map((_, i) => {
    const x = i % columns;
    let sum = 0;
    for (const row of [-1, 0, 1]) {
      for (const column of [-1, 0, 1]) {
        const isBeside = x + column >= 0 && x + column < columns;
        sum += noise[i + row * columns + (isBeside ? column : 0)] ?? 0.5;
      }
    }
    return Math.min(10, Math.max(0, 5 + (sum - 4.5) * 4));
  });
  return {
    at(down, right) {
      const tensor = createTensor("float32", spec.shape, undefined, "chw");
      const [top, left] = [margin + Math.floor(down), margin + Math.floor(right)];
      const [v, h] = [down - Math.floor(down), right - Math.floor(right)];
      for (let i = 0; i < tensor.data.length; i++) {
        const x = i % width;
        const y = Math.floor(i / width) % height;
        const c = Math.floor(i / width / height);
        const at = (c * rows + top + y) * columns + left + x;
        const above = smooth[at]! * (1 - h) + smooth[at + 1]! * h;
        const below = smooth[at + columns]! * (1 - h) + smooth[at + columns + 1]! * h;
        tensor.data[i] = above * (1 - v) + below * v;
      }
      return tensor;
    },
  };
}
