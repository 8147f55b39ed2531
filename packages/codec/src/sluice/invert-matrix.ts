/**
 * The inverse of a square matrix of `size` rows in row-major order, by Gauss-Jordan elimination with pivots from the
 * column; undefined where there is none.
 */
export function invertMatrix(matrix: Float64Array, size: number): Float64Array | undefined {
  const left = matrix.slice();
  const right = new Float64Array(size * size);
  for (let i = 0; i < size; i++) right[i * size + i] = 1;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(left[row * size + column]!) > Math.abs(left[pivot * size + column]!)) pivot = row;
    }
    const divisor = left[pivot * size + column]!;
    if (!(Math.abs(divisor) > 0) || !Number.isFinite(1 / divisor)) return undefined;
    for (const side of [left, right]) {
      for (let i = 0; i < size; i++) {
        const value = side[pivot * size + i]!;
        side[pivot * size + i] = side[column * size + i]!;
        side[column * size + i] = value / divisor;
      }
    }
    for (let row = 0; row < size; row++) {
      const factor = left[row * size + column]!;
      if (row === column || factor === 0) continue;
      for (const side of [left, right]) {
        for (let i = 0; i < size; i++) {
          side[row * size + i] = side[row * size + i]! - factor * side[column * size + i]!;
        }
      }
    }
  }
  return right;
}
