// Motion of feature maps [channels, height, width]: a block of all channels is taken from elsewhere in a reference.

const clamp = (value, top) => Math.min(top, Math.max(0, value));

/**
 * What a block would be, taken from `reference` at a distance: T^(y, x, c) = T_ref(y + dy, x + dx, c), between
 * elements bilinear, beyond the edge the edge (Ulhaq & Bajic, "Shared mobile-cloud inference for collaborative
 * intelligence").
 * @param shape [channels, height, width]
 * @param block `{ top, left, height, width }` in elements
 * @param vector `{ dy, dx }` in elements, whole or not
 * @param target of the whole shape; the block's elements are written
 */
export function compensate(reference, shape, { top, left, height, width }, { dy, dx }, target) {
  const [channels, rows, columns] = shape;
  const area = rows * columns;
  for (let y = top; y < top + height; y++) {
    const sourceY = clamp(y + dy, rows - 1);
    const y0 = Math.floor(sourceY);
    const y1 = Math.min(y0 + 1, rows - 1);
    const fy = sourceY - y0;
    for (let x = left; x < left + width; x++) {
      const sourceX = clamp(x + dx, columns - 1);
      const x0 = Math.floor(sourceX);
      const x1 = Math.min(x0 + 1, columns - 1);
      const fx = sourceX - x0;
      const at = [y0 * columns + x0, y0 * columns + x1, y1 * columns + x0, y1 * columns + x1];
      const weight = [(1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx];
      for (let c = 0, plane = 0; c < channels; c++, plane += area) {
        target[plane + y * columns + x] =
          weight[0] * reference[plane + at[0]] +
          weight[1] * reference[plane + at[1]] +
          weight[2] * reference[plane + at[2]] +
          weight[3] * reference[plane + at[3]];
      }
    }
  }
}

/** Sum of squared differences in a block of all channels. */
export function blockError(a, b, [channels, rows, columns], { top, left, height, width }) {
  let squares = 0;
  for (let c = 0; c < channels; c++) {
    for (let y = top; y < top + height; y++) {
      let i = (c * rows + y) * columns + left;
      for (const end = i + width; i < end; i++) squares += (a[i] - b[i]) ** 2;
    }
  }
  return squares;
}

/** PSNR in dB of a block, its peak the range of the whole tensor: 10 log10(R^2 / MSE), Infinity where equal. */
export function blockPsnr(tensor, other, shape, block) {
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (const value of tensor) {
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
  }
  const elements = shape[0] * block.height * block.width;
  const squares = blockError(tensor, other, shape, block) / elements;
  return squares === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10((maximum - minimum) ** 2 / squares);
}
