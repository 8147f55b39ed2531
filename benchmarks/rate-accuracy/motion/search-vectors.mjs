import { blockError, compensate } from "./compensate.mjs";

/** Side of a block and reach of the search, in elements. */
const blockSide = 4;
const reach = 4;
/** Steps around the best vector so far, one finer than the other. */
const fractions = [0.5, 0.25];

function blocksOf([, rows, columns]) {
  const blocks = [];
  for (let top = 0; top < rows; top += blockSide) {
    for (let left = 0; left < columns; left += blockSide) {
      const [height, width] = [Math.min(blockSide, rows - top), Math.min(blockSide, columns - left)];
      blocks.push({ top, left, height, width });
    }
  }
  return blocks;
}

const around = (centre, step, far) => {
  const vectors = [];
  for (let dy = -far; dy <= far; dy++) {
    for (let dx = -far; dx <= far; dx++) {
      vectors.push({ dy: centre.dy + dy * step, dx: centre.dx + dx * step });
    }
  }
  return vectors;
};

/**
 * The best vectors block by block, by the squared error over all channels: first of all whole ones within reach (the
 * null vector wins a tie), then around the best in halves and quarters.
 * @returns the predictions `whole` and `fractional` of `tensor` from `reference`
 */
export function searchVectors(tensor, reference, shape) {
  const whole = new Float32Array(tensor.length);
  const fractional = new Float32Array(tensor.length);
  const scratch = new Float32Array(tensor.length);
  for (const block of blocksOf(shape)) {
    let best = { vector: { dy: 0, dx: 0 }, error: Number.POSITIVE_INFINITY };
    const consider = (vector) => {
      compensate(reference, shape, block, vector, scratch);
      const error = blockError(tensor, scratch, shape, block);
      if (error < best.error) best = { vector, error };
    };
    consider(best.vector);
    for (const vector of around({ dy: 0, dx: 0 }, 1, reach)) consider(vector);
    compensate(reference, shape, block, best.vector, whole);
    for (const step of fractions) for (const vector of around(best.vector, step, 1)) consider(vector);
    compensate(reference, shape, block, best.vector, fractional);
  }
  return { whole, fractional };
}
